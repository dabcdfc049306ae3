import { f16ToNumber, numberToF16 } from "../../half.ts";
import type { BlockCodec } from "../block-codec.ts";
import { roundAway } from "../rounding.ts";

/** Values of a block. */
const BLOCK = 32;
const HALF = BLOCK / 2;

interface Shape {
  readonly bits: 4 | 5;
  /** With a minimum of its own (`_1`), or symmetric around zero (`_0`). */
  readonly minimum: boolean;
}

/**
 * Q4_0, Q4_1, Q5_0, Q5_1: scale fp16, minimum fp16 where there is one, fifth bits as a 32-bit word where there are any, then nibbles:
 * byte i has value i below and value i + 16 above. Arithmetic is fp32, step by step, as ggml's reference does it.
 */
function nibbles({ bits, minimum }: Shape): BlockCodec {
  const highAt = minimum ? 4 : 2;
  const lowAt = highAt + (bits === 5 ? 4 : 0);
  const bytes = lowAt + HALF;
  const middle = minimum ? 0 : 2 ** (bits - 1);
  const most = 2 ** bits - 1;
  return {
    block: BLOCK,
    bytes,
    decode(packed, values) {
      for (let at = 0, out = 0; out < values.length; at += bytes, out += BLOCK) {
        const scale = f16At(packed, at);
        const least = minimum ? f16At(packed, at + 2) : 0;
        const high = bits === 5 ? wordAt(packed, at + highAt) : 0;
        for (let i = 0; i < HALF; i++) {
          const byte = packed[at + lowAt + i]!;
          const first = ((byte & 15) | (((high >>> i) & 1) << 4)) - middle;
          const second = ((byte >> 4) | (((high >>> (i + HALF)) & 1) << 4)) - middle;
          values[out + i] = minimum ? scale * first + least : scale * first;
          values[out + HALF + i] = minimum ? scale * second + least : scale * second;
        }
      }
    },
    encode(values, packed) {
      const { fround, min, max, abs } = Math;
      const q = new Uint8Array(BLOCK);
      for (let at = 0, from = 0; from < values.length; at += bytes, from += BLOCK) {
        let least = values[from]!;
        let largest = values[from]!;
        let furthest = values[from]!;
        for (let i = 1; i < BLOCK; i++) {
          const value = values[from + i]!;
          if (value < least) least = value;
          if (value > largest) largest = value;
          if (abs(value) > abs(furthest)) furthest = value;
        }
        const scale = minimum ? fround(fround(largest - least) / most) : fround(furthest / -middle);
        const inverse = scale === 0 ? 0 : fround(1 / scale);
        const offset = minimum ? 0.5 : middle + 0.5;
        const base = minimum ? least : 0;
        for (let i = 0; i < BLOCK; i++) {
          const steps = fround(fround(fround(values[from + i]! - base) * inverse) + offset) | 0;
          q[i] = max(0, min(steps, most));
        }
        setF16(packed, at, scale);
        if (minimum) setF16(packed, at + 2, least);
        for (let i = 0; i < HALF; i++) packed[at + lowAt + i] = (q[i]! & 15) | ((q[i + HALF]! & 15) << 4);
        if (bits === 5)
          for (let byte = 0; byte < 4; byte++) {
            let high = 0;
            for (let bit = 0; bit < 8; bit++) high |= (q[8 * byte + bit]! >> 4) << bit;
            packed[at + highAt + byte] = high;
          }
      }
    },
  };
}

export const q4_0: BlockCodec = nibbles({ bits: 4, minimum: false });
export const q4_1: BlockCodec = nibbles({ bits: 4, minimum: true });
export const q5_0: BlockCodec = nibbles({ bits: 5, minimum: false });
export const q5_1: BlockCodec = nibbles({ bits: 5, minimum: true });

/** Scale fp16, then 32 signed bytes. */
export const q8_0: BlockCodec = {
  block: BLOCK,
  bytes: 34,
  decode(packed, values) {
    for (let at = 0, out = 0; out < values.length; at += 34, out += BLOCK) {
      const scale = f16At(packed, at);
      for (let i = 0; i < BLOCK; i++) values[out + i] = scale * ((packed[at + 2 + i]! << 24) >> 24);
    }
  },
  encode(values, packed) {
    const { fround, abs } = Math;
    for (let at = 0, from = 0; from < values.length; at += 34, from += BLOCK) {
      let largest = 0;
      for (let i = 0; i < BLOCK; i++) largest = Math.max(largest, abs(values[from + i]!));
      const scale = fround(largest / 127);
      const inverse = scale === 0 ? 0 : fround(1 / scale);
      setF16(packed, at, scale);
      for (let i = 0; i < BLOCK; i++) {
        packed[at + 2 + i] = roundAway(fround(values[from + i]! * inverse));
      }
    }
  },
};

/** The fp16 number at a byte offset. */
export function f16At(packed: Uint8Array, at: number): number {
  return f16ToNumber(packed[at]! | (packed[at + 1]! << 8));
}

export function setF16(packed: Uint8Array, at: number, value: number): void {
  const bits = numberToF16(value);
  packed[at] = bits;
  packed[at + 1] = bits >> 8;
}

function wordAt(packed: Uint8Array, at: number): number {
  return packed[at]! | (packed[at + 1]! << 8) | (packed[at + 2]! << 16) | (packed[at + 3]! << 24);
}
