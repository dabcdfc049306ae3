import { GraphError, graphPass, type Op, rewriteGraph, schema } from "@llm/core-ir";

interface Far {
  readonly above: number;
}

/** Frequencies that change with a sequence's length don't, within a length they don't change for. */
export const nearFrequencies = graphPass({
  name: "near-frequencies",
  doc: "Where rotary frequencies change only for sequences longer than any that will come, leaves that out.",
  params: schema.schema({ context: schema.integer(1) }),
  run(graph, { context }) {
    const changing = graph.ops.filter(({ kind, attrs }) => kind === "rotary" && attrs.beyond !== undefined);
    if (changing.length === 0) return graph;
    const shortest = Math.min(...changing.map(({ attrs }) => (attrs.beyond as unknown as Far).above));
    if (context > shortest)
      throw new GraphError(
        "unsupported",
        `this model's rotary frequencies change for sequences longer than ${shortest}, and nets of ${context} have one set: choose a length up to ${shortest}`,
      );
    return rewriteGraph(graph, {
      input: ({ id }) => (id === "reach" ? null : undefined),
      op: ({ kind, ins, attrs }: Op, b) => {
        if (kind !== "rotary" || attrs.beyond === undefined) return undefined;
        const { beyond: _, ...near } = attrs;
        return b.ops("rotary", ins.slice(0, 2), near);
      },
    });
  },
});
