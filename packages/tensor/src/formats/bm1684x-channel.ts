import { fastCodecs } from "../fast-codecs.ts";
import { f16ToNumber, numberToF16 } from "../half.ts";
import { checkLanes, LANES, placeByLane } from "./bm1684x-lanes.ts";
import type { Codec, Parts } from "./codec.ts";
import { bitsOf, INFINITE, largestMagnitude, valueOfBits } from "./magnitude.ts";
import { roundAway } from "./rounding.ts";

const { fround, max, min } = Math;

/** The chip wants groups of inputs even where all have the same scale: it is repeated for each. */
const GROUP = 128;
const SHAPE = { bits: 8, group: GROUP, symmetric: true, channel: true } as const;

/** A channel's scale before it is rounded to fp16: its largest magnitude at 127. */
function scaleOf(values: Float32Array, from: number, end: number): number {
  const largest = largestMagnitude(bitsOf(values), from, end);
  return largest >= INFINITE ? Number.NaN : fround(valueOfBits(largest) / 127);
}

function quantise(values: Float32Array, from: number, end: number, scale: number, into: Int8Array): void {
  const divisor = scale === 0 ? 1 : scale; // then all values are zero
  for (let i = from; i < end; i++) into[i - from] = max(-128, min(roundAway(fround(values[i]! / divisor)) | 0, 127));
}

/**
 * What BM1684X's compiler makes of a linear for W8F16 without groups: signed bytes, a scale for each output, and zero points that
 * are zero; scales and zero points by lanes, as often as a row has groups of 128.
 */
export const channel: Codec = {
  whole: true,
  block: (columns) => columns,
  bitsPerWeight: () => 8 + 24 / GROUP,
  parts(rows, columns) {
    const groups = checkLanes(columns, GROUP, rows);
    return {
      data: { dtype: "i8", shape: [rows, columns] },
      scales: { dtype: "f16", shape: [LANES, rows / LANES, groups] },
      zeros: { dtype: "u8", shape: [LANES, rows / LANES, groups] },
    };
  },
  encode(values, rows, columns) {
    const groups = checkLanes(columns, GROUP, rows);
    const data = new Int8Array(rows * columns);
    const scales = new Uint16Array(rows * groups);
    const made = { data, scales, zeros: new Uint8Array(rows * groups) };
    if (fastCodecs(values.length)?.lanes(values, rows, columns, SHAPE, made)) return made;
    for (let row = 0; row < rows; row++) {
      const [from, end] = [row * columns, (row + 1) * columns];
      const scale = scaleOf(values, from, end);
      quantise(values, from, end, scale, data.subarray(from, end));
      const place = placeByLane(row, 0, rows, groups);
      scales.fill(numberToF16(scale), place, place + groups);
    }
    return made;
  },
  decode({ data, scales }: Parts, rows, columns) {
    const groups = checkLanes(columns, GROUP, rows);
    return Float32Array.from(data as Int8Array, (code, i) => {
      const row = Math.floor(i / columns);
      return code * f16ToNumber(Number(scales![placeByLane(row, 0, rows, groups)]));
    });
  },
  round(values, rows, columns) {
    checkLanes(columns, GROUP);
    if (fastCodecs(values.length)?.lanes(values, rows, columns, SHAPE)) return;
    const codes = new Int8Array(columns);
    for (let from = 0; from < rows * columns; from += columns) {
      const scale = scaleOf(values, from, from + columns);
      quantise(values, from, from + columns, scale, codes);
      const step = f16ToNumber(numberToF16(scale));
      for (let i = 0; i < columns; i++) values[from + i] = codes[i]! * step;
    }
  },
  bound(block) {
    const scale = scaleOf(block, 0, block.length);
    if (!(scale < 65520)) return Number.POSITIVE_INFINITY;
    // Half a step; and what rounding the scale to fp16 moves the outermost code.
    return scale * 0.5 * (1 + 2 ** -10) + 127 * (scale * 2 ** -11 + 2 ** -25);
  },
};
