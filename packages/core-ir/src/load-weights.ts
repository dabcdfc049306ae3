import { bind, read, requireBound, type Take, type Tensor, type WeightSource } from "@llm/tensor";
import type { Graph } from "./graph.ts";

/**
 * The values of a graph's weights as f32, by value id, for the interpreter. A tensor that the checkpoint lacks or holds in
 * another shape is an error; what it holds besides is not: a graph may be one net of many. They lie in fresh memory, unless
 * `take` has other.
 */
export async function loadWeights(graph: Graph, source: WeightSource, take?: Take): Promise<Map<string, Tensor>> {
  const binding = bind(
    graph.weights.map(({ expr }) => expr),
    source,
  );
  const exprs = requireBound({ ...binding, unused: [] });
  const loaded = new Map<string, Tensor>();
  for (const [at, { value }] of graph.weights.entries())
    loaded.set(value.id, await read(exprs[at]!, source, "f32", { take }));
  return loaded;
}
