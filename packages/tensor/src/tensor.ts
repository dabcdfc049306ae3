import { DTYPES, type DType, type TypedArray } from "./dtype.ts";

/** A dense, row-major tensor in memory. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** How many elements a shape holds; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dim of shape) size *= dim;
  return size;
}

/** A tensor over `data`, whose length must be the shape's. */
export function tensor(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
  if (data.length !== sizeOf(shape))
    throw new RangeError(
      `a ${dtype} tensor of shape [${shape.join(", ")}] has ${sizeOf(shape)} elements, not ${data.length}`,
    );
  return { dtype, shape, data };
}

/** A tensor of zeros. */
export function zeros(dtype: DType, shape: readonly number[]): Tensor {
  const { array, bytes } = DTYPES[dtype];
  return { dtype, shape, data: new array(new ArrayBuffer(sizeOf(shape) * bytes)) };
}
