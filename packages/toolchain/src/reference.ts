import { loadWeights, ReferenceModel, type ReferenceOptions } from "@llm/core-ir";
import type { Model } from "./open-model.ts";

/** The model as the plain interpreter runs it: slow, obviously right, the oracle. */
export async function openReference(
  model: Pick<Model, "graph" | "weights">,
  options: ReferenceOptions = {},
): Promise<ReferenceModel> {
  return new ReferenceModel(model.graph, await loadWeights(model.graph, model.weights), options);
}
