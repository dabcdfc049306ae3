import type { DType, TypedArray } from "../dtype.ts";

/** One tensor of a packed format's several. */
export interface PartType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export type Parts = Readonly<Record<string, TypedArray>>;

/**
 * A number format with its options chosen: which values exist (`round`) and which bytes say them (`encode`, `decode`). It works on
 * rows of a matrix. Values of one row don't depend on another's.
 */
export interface Codec {
  /** Bytes of several rows lie among each other, so that only a whole matrix can be packed. */
  readonly whole?: true;
  /** Values of a row that share a scale, for rows of that many columns. */
  block(columns: number): number;
  /** All that is stored, scales included. */
  bitsPerWeight(columns: number): number;
  /** The packed tensors of a matrix. Rows are each part's slowest axis, unless it is packed as a whole. */
  parts(rows: number, columns: number): Readonly<Record<string, PartType>>;
  encode(values: Float32Array, rows: number, columns: number): Parts;
  decode(parts: Parts, rows: number, columns: number): Float32Array;
  /** In place, to what `decode` would make of `encode`. */
  round(values: Float32Array, rows: number, columns: number): void;
  /** How far from a block's values rounding may take them; infinite where the format can't hold them. */
  bound(block: Float32Array): number;
}

/** Options of a format that has any. */
export interface FormatOptions {
  readonly group?: number;
  readonly symmetric?: boolean;
}

/** An entry of the format table. */
export interface FormatEntry {
  readonly name: string;
  readonly title: string;
  /** Options that mean something, with what they may be. */
  readonly options: { readonly group?: readonly number[]; readonly symmetric?: true };
  make(options: FormatOptions): Codec;
}
