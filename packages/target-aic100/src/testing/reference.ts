import { openCheckpoint } from "@llm/checkpoint";
import { type Graph, ReferenceModel, type ReferenceOptions } from "@llm/core-ir";
import { goldenDir } from "@llm/fixtures";
import { read, type Tensor } from "@llm/tensor";

/** A golden model run by the reference interpreter. */
export async function goldenReference(name: string, graph: Graph, options: ReferenceOptions): Promise<ReferenceModel> {
  const checkpoint = await openCheckpoint(goldenDir(name));
  try {
    const weights = new Map<string, Tensor>();
    for (const { value, expr } of graph.weights) weights.set(value.id, await read(expr, checkpoint.weights, "f32"));
    return new ReferenceModel(graph, weights, options);
  } finally {
    await checkpoint.close();
  }
}
