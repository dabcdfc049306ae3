import { bf16ToNumber } from "../../half.ts";
import type { BlockCodec } from "../block-codec.ts";
import { f16At } from "./q4-q5-q8.ts";

/** Steps that are denser around zero, where most weights are. */
const NON_LINEAR = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** Scale fp16, then nibbles in Q4_0's order that look up a table. */
export const iq4_nl: BlockCodec = {
  block: 32,
  bytes: 18,
  decode(packed, values) {
    for (let at = 0, out = 0; out < values.length; at += 18, out += 32)
      lookUp(packed, at + 2, f16At(packed, at), NON_LINEAR, values, out);
  },
};

/** Scale fp16, eight scales of 6 bits (upper two bits in a word, lower four as nibbles), then nibbles as IQ4_NL's. */
export const iq4_xs: BlockCodec = {
  block: 256,
  bytes: 136,
  decode(packed, values) {
    for (let at = 0, out = 0; out < values.length; at += 136, out += 256) {
      const d = f16At(packed, at);
      const highs = packed[at + 2]! | (packed[at + 3]! << 8);
      for (let group = 0; group < 8; group++) {
        const low = (packed[at + 4 + (group >> 1)]! >> (4 * (group & 1))) & 15;
        const scale = low | (((highs >> (2 * group)) & 3) << 4);
        lookUp(packed, at + 8 + 16 * group, d * (scale - 32), NON_LINEAR, values, out + 32 * group);
      }
    }
  },
};

/** FP4 (E2M1) values, doubled so that they are whole. */
const FP4 = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** MXFP4 in GGUF's order of nibbles, Q4_0's: a power of two as its biased exponent, then E2M1 values. */
export const gguf_mxfp4: BlockCodec = {
  block: 32,
  bytes: 17,
  decode(packed, values) {
    for (let at = 0, out = 0; out < values.length; at += 17, out += 32)
      lookUp(packed, at + 1, halfPowerOfTwo(packed[at]!), FP4, values, out);
  },
  // As ggml does it: the nearest value, ties to the smaller; OCP rounds ties to even.
  encode(values, packed) {
    const { abs, fround } = Math;
    for (let at = 0, from = 0; from < values.length; at += 17, from += 32) {
      let largest = 0;
      for (let i = 0; i < 32; i++) largest = Math.max(largest, abs(values[from + i]!));
      // Below fp32's normal numbers the exponent wraps around in ggml's byte; here it stays at its least.
      const exponent = largest > 0 ? Math.max(0, Math.floor(fround(Math.log2(largest))) + 125) : 0;
      const inverse = 1 / halfPowerOfTwo(exponent);
      packed[at] = exponent;
      for (let i = 0; i < 32; i++) scaled[i] = values[from + i]! * inverse;
      for (let i = 0; i < 16; i++) packed[at + 1 + i] = nearestFp4(words[i]!) | (nearestFp4(words[i + 16]!) << 4);
    }
  },
};

/** A block in steps of half its power of two, and the same as bits. */
const scaled = new Float32Array(32);
const words = new Uint32Array(scaled.buffer);

/** What lies halfway between neighbours of FP4. */
const MIDPOINTS = [0.5, 1.5, 2.5, 3.5, 5, 7, 10];

/** The code nearest to each value that the upper half of an fp32 number can be: ties to the smaller, no negative zero. */
let nearest: Uint8Array | undefined;

function nearestTable(): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (let half = 0; half < table.length; half++) {
    const value = bf16ToNumber(half);
    const code = MIDPOINTS.filter((midpoint) => Math.abs(value) > midpoint).length;
    table[half] = value < 0 && code > 0 ? code | 8 : code;
  }
  return table;
}

function nearestFp4(word: number): number {
  // The last bit of the upper half is also set where anything of the lower half was: enough to tell a tie.
  nearest ??= nearestTable();
  return nearest[(word >>> 16) | (((word & 0xffff) + 0xffff) >>> 16)]!;
}

function halfPowerOfTwo(exponent: number): number {
  return 2 ** (exponent - 128);
}

function lookUp(packed: Uint8Array, at: number, scale: number, table: Int8Array, values: Float32Array, out: number) {
  for (let i = 0; i < 16; i++) {
    const byte = packed[at + i]!;
    values[out + i] = scale * table[byte & 15]!;
    values[out + 16 + i] = scale * table[byte >> 4]!;
  }
}
