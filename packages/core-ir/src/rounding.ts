import type { DType } from "@llm/tensor";

/** A copy of `xs` with each value rounded to the nearest that `dtype` can hold, ties to even. */
export function roundTo(dtype: DType, xs: Float32Array): Float32Array {
  if (dtype === "f16") return Float32Array.from(new Float16Array(xs));
  if (dtype === "bf16") return roundToBf16(Float32Array.from(xs));
  return xs.slice();
}

function roundToBf16(xs: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(xs.buffer, xs.byteOffset, xs.length);
  for (let i = 0; i < xs.length; i++) {
    if (Number.isNaN(xs[i]!)) continue;
    const b = bits[i]!;
    bits[i] = (b + 0x7fff + ((b >>> 16) & 1)) & 0xffff0000;
  }
  return xs;
}

/** The bits of `xs` in a 16-bit float format. */
export function encode16(dtype: "f16" | "bf16", xs: Float32Array): Uint16Array {
  if (dtype === "f16") return new Uint16Array(new Float16Array(xs).buffer);
  const bits = new Uint32Array(roundToBf16(Float32Array.from(xs)).buffer);
  return Uint16Array.from(bits, (b) => b >>> 16);
}

/** The values of bits in a 16-bit float format. */
export function decode16(dtype: "f16" | "bf16", bits: Uint16Array): Float32Array {
  if (dtype === "f16") return Float32Array.from(new Float16Array(bits.slice().buffer));
  return new Float32Array(Uint32Array.from(bits, (b) => b << 16).buffer);
}
