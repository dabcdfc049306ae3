import type { BlockCodec } from "../block-codec.ts";
import { f16At } from "./q4-q5-q8.ts";

/** Values of a super-block; its scales are themselves quantised. */
const BLOCK = 256;

type DecodeBlock = (packed: Uint8Array, at: number, values: Float32Array, out: number) => void;

function codec(bytes: number, decodeBlock: DecodeBlock): BlockCodec {
  return {
    block: BLOCK,
    bytes,
    decode(packed, values) {
      for (let at = 0, out = 0; out < values.length; at += bytes, out += BLOCK) decodeBlock(packed, at, values, out);
    },
  };
}

/** 16 scales and minimums of 4 bits each, 64 bytes of 2-bit values, scale of the scales, scale of the minimums. */
export const q2_K: BlockCodec = codec(84, (packed, at, values, out) => {
  const d = f16At(packed, at + 80);
  const dmin = f16At(packed, at + 82);
  for (let group = 0; group < 16; group++) {
    const scale = packed[at + group]!;
    const step = d * (scale & 15);
    const least = dmin * (scale >> 4);
    // Each 32 bytes hold 128 values: 32 in the lowest bits, the next 32 above, …
    const bytes = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
    const shift = 2 * ((group >> 1) & 3);
    for (let i = 0; i < 16; i++) values[out + 16 * group + i] = step * ((packed[bytes + i]! >> shift) & 3) - least;
  }
});

/** 32 bytes of third bits, 64 of the lower two, 16 scales of 6 bits in 12 bytes, scale of the scales. */
export const q3_K: BlockCodec = codec(110, (packed, at, values, out) => {
  const d = f16At(packed, at + 108);
  for (let group = 0; group < 16; group++) {
    const low = (packed[at + 96 + (group & 7)]! >> (4 * (group >> 3))) & 15;
    const high = (packed[at + 104 + (group & 3)]! >> (2 * (group >> 2))) & 3;
    const step = d * ((low | (high << 4)) - 32);
    const bytes = at + 32 + 32 * (group >> 3) + 16 * (group & 1);
    const highs = at + 16 * (group & 1);
    const shift = 2 * ((group >> 1) & 3);
    const bit = group >> 1;
    for (let i = 0; i < 16; i++) {
      const below = ((packed[highs + i]! >> bit) & 1) === 0 ? 4 : 0;
      values[out + 16 * group + i] = step * (((packed[bytes + i]! >> shift) & 3) - below);
    }
  }
});

/** Scale (lower six bits) and minimum (above them) of one of eight groups, out of the 12 bytes that hold all. */
function scaleAndMinimum(packed: Uint8Array, at: number, group: number): number {
  if (group < 4) return (packed[at + group]! & 63) | ((packed[at + 4 + group]! & 63) << 6);
  const i = group - 4;
  const low = packed[at + 8 + i]!;
  const scale = (low & 15) | ((packed[at + i]! >> 6) << 4);
  const minimum = (low >> 4) | ((packed[at + 4 + i]! >> 6) << 4);
  return scale | (minimum << 6);
}

/** Scales of scales and minimums, 12 bytes of them at 6 bits, 128 bytes of nibbles. */
export const q4_K: BlockCodec = codec(144, (packed, at, values, out) => {
  const d = f16At(packed, at);
  const dmin = f16At(packed, at + 2);
  for (let group = 0; group < 8; group++) {
    const both = scaleAndMinimum(packed, at + 4, group);
    const step = d * (both & 63);
    const least = dmin * (both >> 6);
    const bytes = at + 16 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let i = 0; i < 32; i++) values[out + 32 * group + i] = step * ((packed[bytes + i]! >> shift) & 15) - least;
  }
});

/** As Q4_K, with 32 bytes of fifth bits before the nibbles. */
export const q5_K: BlockCodec = codec(176, (packed, at, values, out) => {
  const d = f16At(packed, at);
  const dmin = f16At(packed, at + 2);
  for (let group = 0; group < 8; group++) {
    const both = scaleAndMinimum(packed, at + 4, group);
    const step = d * (both & 63);
    const least = dmin * (both >> 6);
    const bytes = at + 48 + 32 * (group >> 1);
    const shift = 4 * (group & 1);
    for (let i = 0; i < 32; i++) {
      const high = ((packed[at + 16 + i]! >> group) & 1) << 4;
      values[out + 32 * group + i] = step * (((packed[bytes + i]! >> shift) & 15) | high) - least;
    }
  }
});

/** 128 bytes of nibbles, 64 of the upper two bits, 16 signed byte scales, scale of the scales. */
export const q6_K: BlockCodec = codec(210, (packed, at, values, out) => {
  const d = f16At(packed, at + 208);
  for (let group = 0; group < 16; group++) {
    const step = d * ((packed[at + 192 + group]! << 24) >> 24);
    // 128 values: 64 bytes of nibbles (first all lower ones, then all upper), 32 bytes of bit pairs.
    const half = group >> 3;
    const inHalf = group & 7;
    const low = at + 64 * half + 16 * (inHalf & 3);
    const lowShift = 4 * (inHalf >> 2);
    const high = at + 128 + 32 * half + 16 * (inHalf & 1);
    const highShift = 2 * (inHalf >> 1);
    for (let i = 0; i < 16; i++) {
      const q = ((packed[low + i]! >> lowShift) & 15) | (((packed[high + i]! >> highShift) & 3) << 4);
      values[out + 16 * group + i] = step * (q - 32);
    }
  }
});
