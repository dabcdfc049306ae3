/** Element types a tensor in memory or in a graph can have. Packed formats are not dtypes: see `Format`. */
export type DType = "f32" | "f16" | "bf16" | "f64" | "i64" | "i32" | "i16" | "i8" | "u32" | "u16" | "u8" | "bool";

/** f16 and bf16 are kept as raw bits, so that nothing converts them behind one's back. */
export type TypedArray =
  | Float32Array<ArrayBufferLike>
  | Float64Array<ArrayBufferLike>
  | BigInt64Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Int8Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Uint8Array<ArrayBufferLike>;

type ArrayType = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray;

interface DTypeEntry {
  readonly bytes: number;
  readonly array: ArrayType;
  readonly float: boolean;
}

export const DTYPES: Readonly<Record<DType, DTypeEntry>> = {
  f32: { bytes: 4, array: Float32Array, float: true },
  f16: { bytes: 2, array: Uint16Array, float: true },
  bf16: { bytes: 2, array: Uint16Array, float: true },
  f64: { bytes: 8, array: Float64Array, float: true },
  i64: { bytes: 8, array: BigInt64Array, float: false },
  i32: { bytes: 4, array: Int32Array, float: false },
  i16: { bytes: 2, array: Int16Array, float: false },
  i8: { bytes: 1, array: Int8Array, float: false },
  u32: { bytes: 4, array: Uint32Array, float: false },
  u16: { bytes: 2, array: Uint16Array, float: false },
  u8: { bytes: 1, array: Uint8Array, float: false },
  bool: { bytes: 1, array: Uint8Array, float: false },
};
