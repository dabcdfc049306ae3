import {
  loadWeights,
  ReferenceModel,
  type ReferenceOptions,
  type ReferenceResult,
  type ReferenceRow,
  StreamedReference,
} from "@llm/core-ir";
import { availableMemory } from "@llm/target/engine";
import { sizeOf } from "@llm/tensor";
import type { Model } from "./open-model.ts";

/** The plain interpreter over a model: slow, obviously right, the oracle. */
export interface Reference {
  step(rows: readonly ReferenceRow[]): Promise<readonly ReferenceResult[]>;
}

/** The interpreter has everything in float32. */
const BYTES = 4;

/** Weights in memory where half of what is free holds them, else read anew for every step, block after block. */
export async function openReference(
  model: Pick<Model, "graph" | "weights">,
  options: ReferenceOptions = {},
): Promise<Reference> {
  const { graph, weights } = model;
  const bytes = graph.weights.reduce((sum, { value }) => sum + sizeOf(value.type.shape as number[]) * BYTES, 0);
  if (bytes > availableMemory() / 2) return new StreamedReference(graph, weights, options);
  const loaded = new ReferenceModel(graph, await loadWeights(graph, weights), options);
  return { step: async (rows) => loaded.step(rows) };
}
