import { bf16ToF32, type DType, f16ToF32, toBf16, toF16 } from "@llm/tensor";

/** A copy of `xs` with each value rounded to the nearest that `dtype` can hold, ties to even. */
export function roundTo(dtype: DType, xs: Float32Array): Float32Array {
  return dtype === "f16" || dtype === "bf16" ? decode16(dtype, encode16(dtype, xs)) : xs.slice();
}

/** The bits of `xs` in a 16-bit float format. */
export function encode16(dtype: "f16" | "bf16", xs: Float32Array): Uint16Array {
  return dtype === "f16" ? toF16(xs) : toBf16(xs);
}

/** The values of bits in a 16-bit float format. */
export function decode16(dtype: "f16" | "bf16", bits: Uint16Array): Float32Array {
  return dtype === "f16" ? f16ToF32(bits) : bf16ToF32(bits);
}
