import {
  codecOf,
  DTYPES,
  type DType,
  FORMATS,
  leavesOf,
  sizeOf,
  type WeightExpr,
  type WeightSource,
} from "@llm/tensor";

interface SizedWeight {
  readonly expr: WeightExpr;
  readonly shape: readonly number[];
}

/**
 * Bytes of a model's weights, each once: those that are encoded as their format keeps them, the others as the checkpoint
 * stores them.
 */
export function weightBytes(weights: readonly SizedWeight[], source: WeightSource): number {
  const distinct = new Map(weights.map((weight) => [JSON.stringify(weight.expr), weight]));
  let bits = 0;
  for (const { expr, shape } of distinct.values()) bits += sizeOf(shape) * bitsPerValue(expr, shape, source);
  return Math.ceil(bits / 8);
}

function bitsPerValue(expr: WeightExpr, shape: readonly number[], source: WeightSource): number {
  if (expr.op === "encode") return codecOf(expr.format).bitsPerWeight(shape.at(-1)!);
  const [first] = leavesOf(expr);
  const stored = first && source.get(first.name);
  if (!stored) return 32; // computed from nothing stored
  if (stored.format in DTYPES) return DTYPES[stored.format as DType].bytes * 8;
  if (stored.format in FORMATS) return codecOf({ format: stored.format }).bitsPerWeight(stored.shape.at(-1)!);
  const bytes = Object.values(stored.parts).reduce((sum, { length }) => sum + length, 0);
  return (8 * bytes) / sizeOf(stored.shape);
}
