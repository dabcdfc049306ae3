import { fastCodecs } from "../fast-codecs.ts";
import { packBits, unpackBits } from "./bit-rows.ts";
import type { Codec, FormatEntry, Parts } from "./codec.ts";
import { bitsOf, INFINITE, largestMagnitude } from "./magnitude.ts";
import { MX_ELEMENTS, type MxElement } from "./mx-element.ts";

/** Values that share a scale; OCP's k. */
const BLOCK = 32;

/** Code of a scale that is no number. */
const SCALE_NAN = 255;
const SCALE_BIAS = 127;

/**
 * Microscaling formats of the OCP specification (MX v1.0): blocks of 32 share a power of two, the largest magnitude's exponent
 * less the element's largest; elements round to nearest even and saturate. A block with an infinity or a NaN becomes NaN, since
 * nothing finite would be true. A row's last block may be shorter.
 */
function mx(name: string, element: MxElement): Codec {
  const { bits, emax, values: table } = element;
  const blockBytes = (BLOCK * bits) / 8;
  const blocksOf = (columns: number) => Math.ceil(columns / BLOCK);
  const rowBytes = (columns: number) => Math.ceil((columns * bits) / 8);
  const codes = new Uint8Array(BLOCK);

  /** Code of the block's scale; its elements' codes are in `codes`. */
  const encodeBlock = (values: Float32Array, words: Uint32Array, from: number, end: number): number => {
    const scale = scaleOf(largestMagnitude(words, from, end), emax);
    if (scale === SCALE_NAN) codes.fill(0);
    else element.encode(values, from, end, POWERS[254 - scale]!, codes);
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
      const made = { data: bits === 8 ? new Int8Array(data.buffer) : data, scales };
      if (fastCodecs(values.length)?.mx(name, values, rows, columns, made)) return made;
      const words = bitsOf(values);
      for (let row = 0, block = 0; row < rows; row++) {
        const end = (row + 1) * columns;
        for (let from = row * columns, at = row * rowBytes(columns); from < end; from += BLOCK, at += blockBytes) {
          const stop = Math.min(from + BLOCK, end);
          scales[block++] = encodeBlock(values, words, from, stop);
          packBits(codes, stop - from, bits, data, at);
        }
      }
      return made;
    },
    decode({ data, scales }: Parts, rows, columns) {
      const packed = new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength);
      const values = new Float32Array(rows * columns);
      for (let row = 0, block = 0; row < rows; row++) {
        const end = (row + 1) * columns;
        for (let from = row * columns, at = row * rowBytes(columns); from < end; from += BLOCK, at += blockBytes) {
          const count = Math.min(BLOCK, end - from);
          unpackBits(packed, at, bits, codes, count);
          const scale = POWERS[Number(scales![block++])]!;
          for (let i = 0; i < count; i++) values[from + i] = scale * table[codes[i]!]!;
        }
      }
      return values;
    },
    round(values, rows, columns) {
      if (fastCodecs(values.length)?.mx(name, values, rows, columns)) return;
      const words = bitsOf(values);
      for (let row = 0; row < rows; row++) {
        const end = (row + 1) * columns;
        for (let from = row * columns; from < end; from += BLOCK) {
          const stop = Math.min(from + BLOCK, end);
          const scale = POWERS[encodeBlock(values, words, from, stop)]!;
          for (let i = from; i < stop; i++) values[i] = scale * table[codes[i - from]!]!;
        }
      }
    },
    bound: (block) => {
      const scale = scaleOf(largestMagnitude(bitsOf(block), 0, block.length), emax);
      return scale === SCALE_NAN ? Number.POSITIVE_INFINITY : element.error * 2 ** (scale - SCALE_BIAS + emax);
    },
  };
}

/** The value of each scale's code. As doubles: the smallest are no normal fp32 numbers. */
const POWERS = Float64Array.from({ length: 256 }, (_, code) =>
  code === SCALE_NAN ? Number.NaN : 2 ** (code - SCALE_BIAS),
);

/** Code of the shared power of two, out of the bits of the largest magnitude. */
function scaleOf(largest: number, emax: number): number {
  if (largest >= INFINITE) return SCALE_NAN;
  // Below the normal numbers the exponent is less than −126, and the scale the least there is.
  return Math.max(0, (largest >>> 23) - emax);
}

function entry(name: string, title: string, element: MxElement): FormatEntry {
  const codec = mx(name, element);
  return { name, title, options: {}, make: () => codec };
}

export const MX_FORMATS: readonly FormatEntry[] = [
  entry("mxfp6_e2m3", "MXFP6 (E2M3), blocks of 32", MX_ELEMENTS.e2m3),
  entry("mxfp6_e3m2", "MXFP6 (E3M2), blocks of 32", MX_ELEMENTS.e3m2),
  entry("mxfp4", "MXFP4 (E2M1), blocks of 32", MX_ELEMENTS.e2m1),
  entry("mxint8", "MXINT8, blocks of 32", MX_ELEMENTS.int8),
];
