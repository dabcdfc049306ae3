/** Element types that ONNX Runtime takes and gives. Half floats are raw bits. */
export type OrtDType = "f32" | "f16" | "f64" | "i64" | "i32" | "i16" | "i8" | "u64" | "u32" | "u16" | "u8" | "bool";

export type OrtArray =
  | Float32Array<ArrayBufferLike>
  | Float64Array<ArrayBufferLike>
  | BigInt64Array<ArrayBufferLike>
  | BigUint64Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Int8Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Uint8Array<ArrayBufferLike>;

/**
 * A dense tensor over memory of the caller's. It is read and written where it is, so `data` may be a view into something
 * larger. Passing the same object again is cheaper than an equal one: what the runtime made of it is kept with it.
 */
export interface OrtTensor {
  readonly dtype: OrtDType;
  readonly shape: readonly number[];
  readonly data: OrtArray;
}

interface DTypeEntry {
  readonly array: new (from: number | ArrayBuffer) => OrtArray;
  /** onnxruntime-node's name. */
  readonly name: string;
  /** ONNX's number for it, the C API's too. */
  readonly code: number;
}

export const ORT_DTYPES: Readonly<Record<OrtDType, DTypeEntry>> = {
  f32: { array: Float32Array, name: "float32", code: 1 },
  u8: { array: Uint8Array, name: "uint8", code: 2 },
  i8: { array: Int8Array, name: "int8", code: 3 },
  u16: { array: Uint16Array, name: "uint16", code: 4 },
  i16: { array: Int16Array, name: "int16", code: 5 },
  i32: { array: Int32Array, name: "int32", code: 6 },
  i64: { array: BigInt64Array, name: "int64", code: 7 },
  bool: { array: Uint8Array, name: "bool", code: 9 },
  f16: { array: Uint16Array, name: "float16", code: 10 },
  f64: { array: Float64Array, name: "float64", code: 11 },
  u32: { array: Uint32Array, name: "uint32", code: 12 },
  u64: { array: BigUint64Array, name: "uint64", code: 13 },
};

/** How many elements a shape holds; 1 for a scalar. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

/** A tensor over `data`, or over new zeros. */
export function ortTensor(dtype: OrtDType, shape: readonly number[], data?: OrtArray): OrtTensor {
  return { dtype, shape, data: data ?? new ORT_DTYPES[dtype].array(elementsOf(shape)) };
}
