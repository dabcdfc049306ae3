import { fastCodecs } from "../fast-codecs.ts";
import { f16ToNumber, numberToF16 } from "../half.ts";
import { channel } from "./bm1684x-channel.ts";
import { checkLanes, LANES, placeByLane } from "./bm1684x-lanes.ts";
import type { Codec, FormatEntry, FormatOptions, Parts } from "./codec.ts";
import { eachGroup } from "./groups.ts";
import { roundAway } from "./rounding.ts";

const { fround, floor, max, min } = Math;

/** The compiler's least range of a group: below it a scale would be no normal fp16 number. */
const LEAST_RANGE = fround(1e-5);

interface Width {
  readonly bits: 4 | 8;
  /** Inputs that share a scale. */
  readonly group: number;
  /** The zero point is the middle. */
  readonly symmetric: boolean;
}

/**
 * What BM1684X's compiler makes of a linear [outputs, inputs] for W4F16 and W8F16 with groups: unsigned codes, rows of outputs as
 * they are, two nibbles a byte with the first below; a scale in fp16 and a zero point of a byte for each group, those by lanes:
 * [64, outputs / 64, groups]. The ends of a group's codes are its least and largest value, or its largest magnitude on both sides;
 * codes are computed with the scale before it is rounded to fp16.
 */
function grouped({ bits, group, symmetric }: Width): Codec {
  const shape = { bits, group, symmetric, channel: false };
  const most = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  const checked = (columns: number, rows?: number) => checkLanes(columns, group, rows);
  const stepOf = (least: number, largest: number) =>
    symmetric ? fround((2 * max(-least, largest)) / most) : fround(max(fround(largest - least), LEAST_RANGE) / most);
  const q = new Uint8Array(group);
  let scale = 0;
  let zero = 0;

  /** Leaves the group's scale, zero point and codes in `scale`, `zero` and `q`. */
  const quantise = (values: Float32Array, from: number): void => {
    let least = values[from]!;
    let largest = least;
    let sum = 0;
    for (let i = from; i < from + group; i++) {
      const value = values[i]!;
      if (value < least) least = value;
      if (value > largest) largest = value;
      sum += value - value; // NaN from the first that is not finite
    }
    scale = stepOf(least, largest) + sum;
    zero = symmetric ? middle : min(max(-roundAway(fround(least / scale)), 0), most);
    for (let i = 0; i < group; i++) q[i] = min(max(roundAway(fround(values[from + i]! / scale)) + zero, 0), most);
  };
  return {
    whole: true,
    block: () => group,
    bitsPerWeight: () => bits + 24 / group,
    parts(rows, columns) {
      const groups = checked(columns, rows);
      return {
        data: { dtype: "u8", shape: [rows, (columns * bits) / 8] },
        scales: { dtype: "f16", shape: [LANES, rows / LANES, groups] },
        zeros: { dtype: "u8", shape: [LANES, rows / LANES, groups] },
      };
    },
    encode(values, rows, columns) {
      const groups = checked(columns, rows);
      const data = new Uint8Array((rows * columns * bits) / 8);
      const scales = new Uint16Array(rows * groups);
      const zeros = new Uint8Array(rows * groups);
      const made = { data, scales, zeros };
      if (fastCodecs(values.length)?.lanes(values, rows, columns, shape, made)) return made;
      eachGroup(rows, columns, group, (at, from) => {
        quantise(values, from);
        const to = placeByLane(floor(at / groups), at % groups, rows, groups);
        scales[to] = numberToF16(scale);
        zeros[to] = zero;
        if (bits === 8) data.set(q, from);
        else for (let i = 0; i < group; i += 2) data[(from + i) / 2] = q[i]! | (q[i + 1]! << 4);
      });
      return made;
    },
    decode({ data, scales, zeros }: Parts, rows, columns) {
      const groups = checked(columns, rows);
      const values = new Float32Array(rows * columns);
      const packed = data as Uint8Array;
      eachGroup(rows, columns, group, (at, from, end) => {
        const to = placeByLane(floor(at / groups), at % groups, rows, groups);
        const step = f16ToNumber(Number(scales![to]));
        const offset = Number(zeros![to]);
        for (let i = from; i < end; i++) {
          const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
          values[i] = step * (code - offset);
        }
      });
      return values;
    },
    round(values, rows, columns) {
      checked(columns);
      if (fastCodecs(values.length)?.lanes(values, rows, columns, shape)) return;
      eachGroup(rows, columns, group, (_at, from, end) => {
        quantise(values, from);
        const step = f16ToNumber(numberToF16(scale));
        for (let i = from; i < end; i++) values[i] = step * (q[i - from]! - zero);
      });
    },
    bound(block) {
      const extent = block.reduce((a, b) => max(a, Math.abs(b)), 0);
      const least = block.reduce((a, b) => min(a, b), block[0]!);
      const largest = block.reduce((a, b) => max(a, b), block[0]!);
      const step = stepOf(least, largest);
      if (!Number.isFinite(step) || step >= 65520) return Number.POSITIVE_INFINITY;
      // Zero must have a code, so a group that lies off zero on one side is cut down to what the codes reach from there.
      const off = max(least, -largest, 0);
      // Rounding the scale moves the outermost code most; below fp16's normal numbers by half its smallest step each code.
      return step + off + extent * 2 ** -10 + most * 2 ** -25;
    },
  };
}

const OPTIONS = { group: [32, 64, 128], symmetric: true } as const;
const make =
  (bits: 4 | 8) =>
  ({ group = 64, symmetric = false }: FormatOptions) =>
    grouped({ bits, group, symmetric });

export const BM1684X_FORMATS: readonly FormatEntry[] = [
  { name: "bm1684x_w4", title: "BM1684X's W4F16, in groups", options: OPTIONS, make: make(4) },
  { name: "bm1684x_w8", title: "BM1684X's W8F16, in groups", options: OPTIONS, make: make(8) },
  { name: "bm1684x_w8_channel", title: "BM1684X's W8F16, a scale per channel", options: {}, make: () => channel },
];
