import type { DType } from "./dtype.ts";

/**
 * What a weight leaf of a graph is, said in terms of checkpoint tensors. Nothing is read when one is made; shapes are
 * known from the config alone. The leaves of a graph *are* its tensor map: binding them to a checkpoint finds what is
 * missing or unused.
 */
export type WeightExpr =
  | { readonly op: "tensor"; readonly name: string; readonly shape: readonly number[] }
  /** The first alternative whose tensors the checkpoint has; all have one shape. */
  | { readonly op: "either"; readonly of: readonly WeightExpr[] }
  | {
      readonly op: "slice";
      readonly of: WeightExpr;
      readonly axis: number;
      readonly start: number;
      readonly end: number;
    }
  | { readonly op: "permute"; readonly of: WeightExpr; readonly perm: readonly number[] }
  | { readonly op: "reshape"; readonly of: WeightExpr; readonly shape: readonly number[] }
  | { readonly op: "concat"; readonly of: readonly WeightExpr[]; readonly axis: number }
  /** A new leading axis: per-expert tensors as one. */
  | { readonly op: "stack"; readonly of: readonly WeightExpr[] }
  /** L2 norm of each row (last axis reduced): NormHead. */
  | { readonly op: "rowNorm"; readonly of: WeightExpr }
  /** Values rounded to what `format` can hold (read as floats), or its bytes (read packed). */
  | { readonly op: "encode"; readonly of: WeightExpr; readonly format: EncodeSpec }
  /** Values known at build time: tables, slopes, norms without weights. */
  | {
      readonly op: "constant";
      readonly dtype: DType;
      readonly shape: readonly number[];
      readonly values: readonly number[];
    };

/** A format with its options, as data: it is part of cache keys. */
export interface EncodeSpec {
  readonly format: string;
  readonly group?: number;
  readonly symmetric?: boolean;
}
