import type { Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { boolean, optional, schema } from "../schema.ts";

/** Rotary angles, masks and the like are written down by every layer; once is enough. */
export const share = graphPass({
  name: "share",
  doc: "Makes equal values once: an op with the same operands and attributes as an earlier one gives way to it.",
  params: schema({
    /** Also between blocks, which then hand on more than the residual stream; without, within each block only. */
    across: optional(boolean),
  }),
  run(graph, { across = false }) {
    const blockOf = new Map<string, string>();
    for (const { name, from, to } of graph.blocks)
      for (const op of graph.ops.slice(from, to)) blockOf.set(op.outs[0]!.id, name);
    const made = new Map<string, readonly Value[]>();
    return rewriteGraph(graph, {
      op(op, b) {
        const home = across ? "" : (blockOf.get(op.outs[0]!.id) ?? "");
        const key = JSON.stringify([home, op.kind, op.ins.map((value) => value?.id ?? null), op.attrs]);
        const earlier = made.get(key);
        if (earlier) return earlier;
        const outs = b.keep(op);
        made.set(key, outs);
        return outs;
      },
    });
  },
});
