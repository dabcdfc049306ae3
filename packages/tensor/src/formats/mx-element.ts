import { bf16ToNumber } from "../half.ts";
import { type Minifloat, minifloat, toMinifloat } from "./minifloat.ts";
import { roundToEven } from "./rounding.ts";

/** What the elements of an MX format are: their values once the block's scale is divided out. */
export interface MxElement {
  readonly bits: 4 | 6 | 8;
  /** Exponent of the largest power of two that it has. */
  readonly emax: number;
  /** Value of each code. */
  readonly values: Float32Array;
  /** Codes of values from `from` up to `end`, each times `inverse`: the nearest, ties to even, the largest beyond it. */
  encode(values: Float32Array, from: number, end: number, inverse: number, codes: Uint8Array): void;
  /** Largest error for a block whose largest magnitude is below two: half a step, or what clamping cuts off. */
  readonly error: number;
}

function floatElement(type: Minifloat): MxElement {
  const { bits, mantissa, emax, values } = type;
  let nearest: Uint8Array | undefined; // made when it is first needed: it takes longer than all the rest of this package
  const scaled = new Float32Array(32);
  const words = new Uint32Array(scaled.buffer);
  const largest = values[2 ** (bits - 1) - 1]!;
  // Steps are widest at the top, where also the last value to the next power of two is cut off.
  const error = Math.max(2 ** (emax - mantissa - 1), 2 ** (emax + 1) - largest) * 2 ** -emax;
  return {
    bits: bits as 4 | 6,
    emax,
    values,
    error,
    encode(from32, from, end, inverse, codes) {
      nearest ??= nearestTable(type);
      for (let i = from; i < end; i++) scaled[i - from] = from32[i]! * inverse;
      for (let i = 0; i < end - from; i++) {
        const word = words[i]!;
        // The upper half, its last bit also set where anything of the lower half was: enough to tell a tie.
        codes[i] = nearest[(word >>> 16) | (((word & 0xffff) + 0xffff) >>> 16)]!;
      }
    },
  };
}

/** The code nearest to each value that the upper half of an fp32 number can be. */
function nearestTable(type: Minifloat): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (let half = 0; half < table.length; half++) {
    const value = bf16ToNumber(half);
    table[half] = Number.isNaN(value) ? 0 : toMinifloat(type, value);
  }
  return table;
}

/** OCP's INT8: two's complement with six bits behind the point; −2 is left out, so that it is symmetric. */
const int8: MxElement = {
  bits: 8,
  emax: 0,
  values: Float32Array.from({ length: 256 }, (_, code) => ((code << 24) >> 24) / 64),
  error: 1 / 64,
  encode(values, from, end, inverse, codes) {
    const steps = inverse * 64;
    for (let i = from; i < end; i++) {
      const q = roundToEven(values[i]! * steps) | 0;
      codes[i - from] = Math.max(-127, Math.min(q, 127));
    }
  },
};

export const MX_ELEMENTS = {
  e2m3: floatElement(minifloat(2, 3, 1)),
  e3m2: floatElement(minifloat(3, 2, 3)),
  e2m1: floatElement(minifloat(2, 1, 1)),
  int8,
} as const;
