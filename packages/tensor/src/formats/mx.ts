import { packBits, unpackBits } from "./bit-rows.ts";
import type { Codec, FormatEntry, Parts } from "./codec.ts";
import { type Minifloat, minifloat, toMinifloat } from "./minifloat.ts";

/** Values that share a scale; OCP's k. */
const BLOCK = 32;

/** Code of a scale that is no number; also the bias of the others' exponents, doubled. */
const SCALE_NAN = 255;
const SCALE_BIAS = 127;

/** What a block's elements are. */
interface Element {
  readonly bits: number;
  readonly emax: number;
  /** Value of each code. */
  readonly values: Float32Array;
  /** The code nearest to a value, ties to even, the largest beyond it. */
  encode(value: number): number;
  /** Largest error for a block whose largest magnitude is below 2: half a step, or what clamping cuts off. */
  readonly error: number;
}

function floatElement(type: Minifloat): Element {
  const { bits, mantissa, emax, values } = type;
  const largest = values[2 ** (bits - 1) - 1]!;
  // Steps are widest at the top, and the last value to the next power of two is cut off.
  const error = Math.max(2 ** (emax - mantissa - 1), 2 ** (emax + 1) - largest);
  return { bits, emax, values, error: error * 2 ** -emax, encode: (value) => toMinifloat(type, value) };
}

/** OCP's INT8: two's complement with six bits behind the point; −2 is left out, so that it is symmetric. */
const int8: Element = {
  bits: 8,
  emax: 0,
  values: Float32Array.from({ length: 256 }, (_, code) => ((code << 24) >> 24) / 64),
  encode: (value) => {
    const steps = Math.fround(Math.abs(value) * 64 + 2 ** 23) - 2 ** 23;
    return ((value < 0 ? -1 : 1) * Math.min(steps, 127)) & 255;
  },
  error: 1 / 64,
};

/**
 * Microscaling formats of the OCP specification (MX v1.0): blocks of 32 share a power of two, the largest magnitude's exponent
 * less the element's largest; elements round to nearest even and saturate. A block with an infinity or a NaN becomes NaN, since
 * nothing finite would be true. A row's last block may be shorter.
 */
function mx(element: Element): Codec {
  const { bits, emax, values: table } = element;
  const blocksOf = (columns: number) => Math.ceil(columns / BLOCK);
  const rowBytes = (columns: number) => Math.ceil((columns * bits) / 8);
  const codes = new Uint8Array(BLOCK);

  /** Code of the block's scale; its elements' codes are in `codes`. */
  const encodeBlock = (values: Float32Array, from: number, count: number): number => {
    const scale = scaleOf(values, from, count, emax);
    if (scale === SCALE_NAN) {
      codes.fill(0);
      return scale;
    }
    const inverse = 2 ** (SCALE_BIAS - scale);
    for (let i = 0; i < count; i++) codes[i] = element.encode(values[from + i]! * inverse);
    return scale;
  };

  return {
    block: (columns) => Math.min(BLOCK, columns),
    bitsPerWeight: (columns) => (8 * (rowBytes(columns) + blocksOf(columns))) / columns,
    parts: (rows, columns) => ({
      data: { dtype: bits === 8 ? "i8" : "u8", shape: [rows, rowBytes(columns)] },
      scales: { dtype: "u8", shape: [rows, blocksOf(columns)] },
    }),
    encode(values, rows, columns) {
      const data = new Uint8Array(rows * rowBytes(columns));
      const scales = new Uint8Array(rows * blocksOf(columns));
      forBlocks(rows, columns, (row, block, from, count) => {
        scales[row * blocksOf(columns) + block] = encodeBlock(values, from, count);
        const at = row * rowBytes(columns) + (block * BLOCK * bits) / 8;
        packBits(count === BLOCK ? codes : codes.subarray(0, count), bits, data, at);
      });
      return { data: bits === 8 ? new Int8Array(data.buffer) : data, scales };
    },
    decode({ data, scales }: Parts, rows, columns) {
      const packed = new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength);
      const values = new Float32Array(rows * columns);
      forBlocks(rows, columns, (row, block, from, count) => {
        const at = row * rowBytes(columns) + (block * BLOCK * bits) / 8;
        unpackBits(packed, at, bits, codes);
        const scale = scaleValue(Number(scales![row * blocksOf(columns) + block]));
        for (let i = 0; i < count; i++) values[from + i] = scale * table[codes[i]!]!;
      });
      return values;
    },
    round(values, rows, columns) {
      forBlocks(rows, columns, (_row, _block, from, count) => {
        const scale = scaleValue(encodeBlock(values, from, count));
        for (let i = 0; i < count; i++) values[from + i] = scale * table[codes[i]!]!;
      });
    },
    bound: (block) => {
      const scale = scaleOf(block, 0, block.length, emax);
      return scale === SCALE_NAN ? Number.POSITIVE_INFINITY : element.error * 2 ** (scale - SCALE_BIAS + emax);
    },
  };
}

type Visit = (row: number, block: number, from: number, count: number) => void;

function forBlocks(rows: number, columns: number, visit: Visit): void {
  for (let row = 0; row < rows; row++)
    for (let block = 0, at = 0; at < columns; block++, at += BLOCK)
      visit(row, block, row * columns + at, Math.min(BLOCK, columns - at));
}

/** Code of the shared power of two: exponent of the largest magnitude, less `emax`. */
function scaleOf(values: Float32Array, from: number, count: number, emax: number): number {
  let largest = 0;
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    const value = values[i]!;
    const magnitude = Math.abs(value);
    if (magnitude > largest) largest = magnitude;
    sum += value - value; // NaN from the first that is not finite
  }
  if (sum !== 0) return SCALE_NAN;
  if (largest === 0) return 0;
  return Math.max(0, exponentOf(largest) - emax + SCALE_BIAS);
}

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

/** ⌊log2⌋ of a positive fp32 number: as a double, even the smallest is normal. */
function exponentOf(value: number): number {
  number[0] = value;
  return (words[1]! >>> 20) - 1023;
}

function scaleValue(code: number): number {
  return code === SCALE_NAN ? Number.NaN : 2 ** (code - SCALE_BIAS);
}

function entry(name: string, title: string, element: Element): FormatEntry {
  const codec = mx(element);
  return { name, title, options: {}, make: () => codec };
}

export const MX_FORMATS: readonly FormatEntry[] = [
  entry("mxfp6_e2m3", "MXFP6 (E2M3), blocks of 32", floatElement(minifloat(2, 3, 1))),
  entry("mxfp6_e3m2", "MXFP6 (E3M2), blocks of 32", floatElement(minifloat(3, 2, 3))),
  entry("mxfp4", "MXFP4 (E2M1), blocks of 32", floatElement(minifloat(2, 1, 1))),
  entry("mxint8", "MXINT8, blocks of 32", int8),
];
