import { corePasses, type Graph, programOf, rewriteGraph, runPipeline } from "@llm/core-ir";

/**
 * The same decoder in fp16, weights and caches included; logits stay fp32. What would leave fp16's range on the way is
 * kept from it: norms are computed in fp32, attention scales its queries before it multiplies, constants are clipped.
 */
export function halfPrecision(graph: Graph): Graph {
  const steps = [{ pass: "precision", params: { dtype: "f16", keep: ["norm"] } }];
  return runPipeline(programOf(scaledQueries(graph)), steps, { passes: corePasses }).nets[0].graph;
}

/** Scores that are scaled after the product may have been too large before. */
function scaledQueries(graph: Graph): Graph {
  return rewriteGraph(graph, {
    op({ kind, ins: [q, ...rest], attrs: { scale, ...rules } }, b) {
      const alibi = rules.alibi as { readonly anchor: string } | undefined;
      if (kind !== "attention" || alibi?.anchor === "key") return undefined; // there, a bias is scaled with them
      return b.ops("attention", [b.scale(q!, scale as number), ...rest], { ...rules, scale: 1 });
    },
  });
}
