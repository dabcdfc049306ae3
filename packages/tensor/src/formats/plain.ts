import type { DType, TypedArray } from "../dtype.ts";
import { bf16ToF32, f16ToF32, toBf16, toF16 } from "../half.ts";
import type { FormatEntry } from "./codec.ts";

interface PlainFloat {
  readonly dtype: DType;
  readonly bits: number;
  encode(values: Float32Array): TypedArray;
  decode(data: TypedArray): Float32Array;
  /** Half a step of a value. */
  error(magnitude: number): number;
}

function plain(name: string, title: string, type: PlainFloat): FormatEntry {
  const { dtype, bits, encode, decode, error } = type;
  return {
    name,
    title,
    options: {},
    make: () => ({
      block: () => 1,
      bitsPerWeight: () => bits,
      parts: (rows, columns) => ({ data: { dtype, shape: [rows, columns] } }),
      encode: (values) => ({ data: encode(values) }),
      decode: ({ data }) => decode(data!),
      round: (values) => values.set(decode(encode(values))),
      bound: (block) => block.reduce((most, value) => Math.max(most, error(Math.abs(value))), 0),
    }),
  };
}

/** Half the distance between neighbours, for floats of so many mantissa bits; `Infinity` from `limit` on. */
function halfStep(mantissa: number, least: number, limit: number): (magnitude: number) => number {
  return (magnitude) => {
    if (!(magnitude < limit)) return Number.POSITIVE_INFINITY;
    const exponent = magnitude === 0 ? least : Math.max(least, Math.floor(Math.log2(magnitude)));
    return 2 ** (exponent - mantissa - 1);
  };
}

export const PLAIN_FORMATS: readonly FormatEntry[] = [
  plain("fp32", "fp32", {
    dtype: "f32",
    bits: 32,
    encode: (values) => values.slice(),
    decode: (data) => Float32Array.from(data as Float32Array),
    error: (magnitude) => (Number.isFinite(magnitude) ? 0 : Number.POSITIVE_INFINITY),
  }),
  plain("fp16", "fp16", {
    dtype: "f16",
    bits: 16,
    encode: (values) => toF16(values),
    decode: (data) => f16ToF32(data as Uint16Array),
    error: halfStep(10, -14, 65520),
  }),
  plain("bf16", "bf16", {
    dtype: "bf16",
    bits: 16,
    encode: (values) => toBf16(values),
    decode: (data) => bf16ToF32(data as Uint16Array),
    error: halfStep(7, -126, 2 ** 128 * (1 - 2 ** -9)),
  }),
];
