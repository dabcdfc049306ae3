import { DTYPES } from "@llm/tensor";
import type { Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { choice, schema } from "../schema.ts";

/** Activations as a device keeps them between its ops. */
export const roundResults = graphPass({
  name: "round-results",
  doc: "Rounds what every op makes to a 16-bit format: the numerics of a device that keeps activations in it and adds up in float32.",
  params: schema({ format: choice("fp16", "bf16") }),
  run(graph, { format }) {
    const outputs = new Set(graph.outputs.map(({ id }) => id));
    const states = new Set(graph.states.map(({ next }) => next.id));
    return rewriteGraph(graph, {
      op(op, b) {
        if (op.kind === "round" || op.outs.every(({ id }) => outputs.has(id) || states.has(id))) return undefined;
        const made = b.ops(op.kind, op.ins, op.attrs);
        return made.map((out, i) => {
          const { id } = op.outs[i]!;
          return isWide(out) && !states.has(id) && !outputs.has(id) ? b.round(out, format) : out;
        });
      },
    });
  },
});

function isWide({ type }: Value): boolean {
  return DTYPES[type.dtype].float && type.dtype !== "f16";
}
