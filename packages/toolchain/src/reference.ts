import { type Graph, ReferenceModel, type ReferenceOptions } from "@llm/core-ir";
import { read, type Tensor } from "@llm/tensor";
import type { Model } from "./open-model.ts";

/** The weights of a graph in memory as f32, by value id: what the interpreter runs on. */
export async function loadWeights(
  graph: Graph,
  { weights }: Pick<Model, "weights">,
): Promise<ReadonlyMap<string, Tensor>> {
  const loaded = new Map<string, Tensor>();
  for (const { value, expr } of graph.weights) loaded.set(value.id, await read(expr, weights, "f32"));
  return loaded;
}

/** The model as the plain interpreter runs it: slow, obviously right, the oracle. */
export async function openReference(model: Model, options: ReferenceOptions = {}): Promise<ReferenceModel> {
  return new ReferenceModel(model.graph, await loadWeights(model.graph, model), options);
}
