import type { DType } from "../dtype.ts";
import type { EncodeSpec, WeightExpr } from "../weight-expr.ts";

/**
 * Makes weight expressions: `weights.permute(weights.tensor("h.0.mlp.c_fc.weight", [768, 3072]), [1, 0])`. Nothing is read
 * or checked; `shapeOf` does the latter.
 */
export const weights = {
  /** A tensor of the checkpoint. */
  tensor: (name: string, shape: readonly number[]): WeightExpr => ({ op: "tensor", name, shape }),
  /** The first alternative that the checkpoint has. */
  either: (...of: readonly WeightExpr[]): WeightExpr => ({ op: "either", of }),
  /** From `start` up to `end` along `axis`; a negative axis counts from the last. */
  slice: (of: WeightExpr, axis: number, start: number, end: number): WeightExpr => ({
    op: "slice",
    of,
    axis,
    start,
    end,
  }),
  /** Result axis i is axis `perm[i]`. */
  permute: (of: WeightExpr, perm: readonly number[]): WeightExpr => ({ op: "permute", of, perm }),
  reshape: (of: WeightExpr, shape: readonly number[]): WeightExpr => ({ op: "reshape", of, shape }),
  concat: (of: readonly WeightExpr[], axis: number): WeightExpr => ({ op: "concat", of, axis }),
  /** Along a new first axis. */
  stack: (of: readonly WeightExpr[]): WeightExpr => ({ op: "stack", of }),
  /** L2 norm over the last axis. */
  rowNorm: (of: WeightExpr): WeightExpr => ({ op: "rowNorm", of }),
  encode: (of: WeightExpr, format: EncodeSpec): WeightExpr => ({ op: "encode", of, format }),
  constant: (dtype: DType, shape: readonly number[], values: readonly number[]): WeightExpr => ({
    op: "constant",
    dtype,
    shape,
    values,
  }),
} as const;
