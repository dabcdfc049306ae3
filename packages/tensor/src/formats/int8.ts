import { fastCodecs } from "../fast-codecs.ts";
import { f16ToNumber, numberToF16 } from "../half.ts";
import type { Codec, FormatOptions, Parts } from "./codec.ts";
import { eachGroup } from "./groups.ts";
import { bitsOf, INFINITE, largestMagnitude, valueOfBits } from "./magnitude.ts";
import { roundToEven } from "./rounding.ts";

const { abs, fround, max, min } = Math;

/** Signed bytes, ±127 at a group's largest magnitude; a scale, in fp16, for each group or each row. */
export function int8({ group }: FormatOptions): Codec {
  const width = (columns: number) => group ?? columns;
  const groupsOf = (columns: number) => Math.ceil(columns / width(columns));
  const q = new Int8Array(0x1000);

  const scaleBits = (words: Uint32Array, from: number, end: number): number => {
    const largest = largestMagnitude(words, from, end);
    return numberToF16(largest >= INFINITE ? Number.NaN : valueOfBits(largest) / 127);
  };
  const quantise = (values: Float32Array, from: number, end: number, scale: number, into: Int8Array, at: number) => {
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = from, to = at; i < end; i++, to++) {
      const steps = roundToEven(fround(values[i]! * inverse)) | 0;
      into[to] = max(-127, min(steps, 127));
    }
  };
  return {
    block: (columns) => min(width(columns), columns),
    bitsPerWeight: (columns) => 8 + (16 * groupsOf(columns)) / columns,
    parts: (rows, columns) => ({
      data: { dtype: "i8", shape: [rows, columns] },
      scales: { dtype: "f16", shape: [rows, groupsOf(columns)] },
    }),
    encode(values, rows, columns) {
      const data = new Int8Array(rows * columns);
      const scales = new Uint16Array(rows * groupsOf(columns));
      if (fastCodecs(values.length)?.int8(values, rows, columns, width(columns), { data, scales }))
        return { data, scales };
      const words = bitsOf(values);
      eachGroup(rows, columns, width(columns), (at, from, end) => {
        scales[at] = scaleBits(words, from, end);
        quantise(values, from, end, f16ToNumber(scales[at]!), data, from);
      });
      return { data, scales };
    },
    decode({ data, scales }: Parts, rows, columns) {
      const values = new Float32Array(rows * columns);
      const steps = data as Int8Array;
      eachGroup(rows, columns, width(columns), (at, from, end) => {
        const scale = f16ToNumber(Number(scales![at]));
        for (let i = from; i < end; i++) values[i] = scale * steps[i]!;
      });
      return values;
    },
    round(values, rows, columns) {
      if (fastCodecs(values.length)?.int8(values, rows, columns, width(columns))) return;
      const words = bitsOf(values);
      eachGroup(rows, columns, width(columns), (_at, from, end) => {
        const scale = f16ToNumber(scaleBits(words, from, end));
        for (let start = from; start < end; start += q.length) {
          const stop = min(start + q.length, end);
          quantise(values, start, stop, scale, q, 0);
          for (let i = start; i < stop; i++) values[i] = scale * q[i - start]!;
        }
      });
    },
    bound: (block) => {
      const scale = f16ToNumber(scaleBits(bitsOf(block), 0, block.length));
      const largest = block.reduce((most, value) => max(most, abs(value)), 0);
      if (!Number.isFinite(scale)) return Number.POSITIVE_INFINITY;
      // Half a step, and what a scale that was rounded down cuts off.
      return scale * (0.5 + 2 ** -16) + max(0, largest - 127 * scale);
    },
  };
}
