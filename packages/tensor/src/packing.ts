import { DTYPES, type DType } from "./dtype.ts";
import type { Format } from "./format.ts";
import type { EncodeSpec } from "./weight-expr.ts";

/** The bytes one wants: a plain dtype's, a format's with its default options, or one part of a packed format's. */
export type Packing = Format | PackedPart;

export interface PackedPart extends EncodeSpec {
  /** Which of the format's parts: `data` (the default), `scales`, … */
  readonly part?: string;
}

/** The plain dtype that a packing is, or nothing. */
export function plainPacking(packing: Packing): DType | undefined {
  return typeof packing === "string" && Object.hasOwn(DTYPES, packing) ? (packing as DType) : undefined;
}

/** A packing with its part named; for a plain dtype a format of the same name. */
export function packedPart(packing: Packing): PackedPart & { readonly part: string } {
  const spec = typeof packing === "string" ? { format: packing } : packing;
  return { ...spec, part: spec.part ?? "data" };
}
