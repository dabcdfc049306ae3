import { graphPass, type Pass, rewriteGraph, schema } from "@llm/core-ir";

/** Scores of long vectors leave fp16's range before they are scaled down, so queries are scaled instead. */
export const scaleQueries: Pass = graphPass({
  name: "aic100-scale-queries",
  doc: "Scales attention's queries instead of its scores, which then stay within fp16's range.",
  params: schema.schema({}),
  run: (graph) =>
    rewriteGraph(graph, {
      op(op, b) {
        const alibi = op.attrs.alibi as { readonly anchor: string } | undefined;
        // A bias by key is scaled together with the score that it is added to.
        if (op.kind !== "attention" || alibi?.anchor === "key") return undefined;
        const [q, ...rest] = op.ins;
        return b.ops("attention", [b.scale(q!, op.attrs.scale as number), ...rest], { ...op.attrs, scale: 1 });
      },
    }),
});
