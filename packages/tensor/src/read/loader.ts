import { DTYPES, type DType, type TypedArray } from "../dtype.ts";
import type { Region } from "./region.ts";

/** Brings boxes of one tensor into memory, dense and row-major, converted to the dtype that is asked for. */
export interface Loader {
  readonly shape: readonly number[];
  /** What its values are by nature: converting to it loses nothing. */
  readonly dtype: DType;
  /** Whether runs along the last axis lie apart where they are stored, so that larger boxes read much less. */
  readonly scattered: boolean;
  /** Arrays as large as the region come from `take`, if there is one: a caller may have memory to use again. */
  load(region: Region, dtype: DType, take?: Take): Promise<TypedArray>;
}

/** Where arrays come from. */
export type Take = (dtype: DType, count: number) => TypedArray;

/** A fresh array of `count` elements. */
export function allocate(dtype: DType, count: number): TypedArray {
  const { array, bytes } = DTYPES[dtype];
  return new array(new ArrayBuffer(count * bytes));
}
