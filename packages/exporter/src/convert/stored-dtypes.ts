import type { Graph } from "@llm/core-ir";
import { type DType, locate, type WeightSource } from "@llm/tensor";
import { untransposed } from "./transposed.ts";

/** What each float dtype holds exactly, so that widening on load changes nothing. */
const NARROWER: Readonly<Partial<Record<DType, readonly DType[]>>> = { f32: ["f16", "bf16"] };

/**
 * Weights that lie in the checkpoint in a narrower dtype than the graph computes with, by id. Kept as they are and
 * widened by the model itself, they need no copy.
 */
export function storedDTypes(graph: Graph, source: WeightSource): ReadonlyMap<string, DType> {
  const stored = new Map<string, DType>();
  for (const { value, expr } of graph.weights) {
    const { dtype } = value.type;
    const inPlace = (as: DType) =>
      [expr, untransposed(expr)].some((one) => one !== undefined && locate(one, source, as) !== undefined);
    const narrower = inPlace(dtype) ? undefined : NARROWER[dtype]?.find(inPlace);
    if (narrower !== undefined) stored.set(value.id, narrower);
  }
  return stored;
}
