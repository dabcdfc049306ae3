import { TensorError } from "../error.ts";
import { type FastWordParts, fastCodecs } from "../fast-codecs.ts";
import { f16ToF32, f16ToNumber, numberToF16 } from "../half.ts";
import type { Codec, FormatEntry, FormatOptions } from "./codec.ts";
import { AWQ, GPTQ, type LinearLayout, packColumns, unpackColumns, unpackLinear } from "./linear-words.ts";
import { roundToEven } from "./rounding.ts";

const BITS = 4;
const PER_WORD = 32 / BITS;
const MOST = 2 ** BITS - 1;
const MIDDLE = 2 ** (BITS - 1);

interface Published {
  readonly layout: LinearLayout;
  /** The first GPTQ stores zero points less this. */
  readonly zeroOffset: 0 | 1;
  /** Whether each input's group is stored, in `g_idx`. */
  readonly groupIndex: boolean;
}

/** Scale and zero point of a group as the published quantisers choose them. */
interface Steps {
  readonly scaleBits: number;
  readonly zero: number;
}

/**
 * Published 4-bit linears, rounded to nearest: without zero points of its own, a group's largest magnitude is at either end; with
 * them, its least and its largest value are.
 */
function linear(
  { layout, zeroOffset, groupIndex }: Published,
  { group = 128, symmetric = true }: FormatOptions,
): Codec {
  const groupsOf = (columns: number) => Math.ceil(columns / group);
  const byInput = layout.packed === "inputs";
  const shape = { group, symmetric, zeroOffset, byInput, places: Uint8Array.from(layout.places) };

  const stepsOf = (values: Float32Array): Steps => {
    let least = 0;
    let largest = 0;
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < least) least = value;
      if (value > largest) largest = value;
      sum += value - value; // NaN from the first that is not finite
    }
    if (sum !== 0) return { scaleBits: numberToF16(Number.NaN), zero: MIDDLE };
    if (symmetric) {
      const extreme = Math.max(-least, largest);
      return { scaleBits: numberToF16((2 * extreme) / MOST), zero: MIDDLE };
    }
    // A zero point of 0, less one, would wrap around: a group without negative values starts at 1 then.
    const lowest = zeroOffset;
    const negative = least < 0 ? MOST : MOST - lowest;
    const scaleBits = numberToF16((largest - least) / negative);
    const scale = f16ToNumber(scaleBits);
    const zero = scale > 0 ? Math.round(-least / scale) : MIDDLE;
    return { scaleBits, zero: Math.min(Math.max(zero, lowest), MOST) };
  };

  const quantise = (values: Float32Array, rows: number, columns: number) => {
    const groups = groupsOf(columns);
    const codes = new Uint8Array(columns * rows); // (inputs, outputs)
    const scales = new Uint16Array(groups * rows);
    const zeros = new Uint8Array(groups * rows);
    for (let row = 0; row < rows; row++)
      for (let g = 0; g < groups; g++) {
        const from = g * group;
        const end = Math.min(from + group, columns);
        const { scaleBits, zero } = stepsOf(values.subarray(row * columns + from, row * columns + end));
        const scale = f16ToNumber(scaleBits);
        scales[g * rows + row] = scaleBits;
        zeros[g * rows + row] = zero;
        const divisor = scale > 0 ? scale : Number.POSITIVE_INFINITY;
        for (let i = from; i < end; i++) {
          const steps = (roundToEven(values[row * columns + i]! / divisor) | 0) + zero;
          codes[i * rows + row] = Math.max(0, Math.min(steps, MOST));
        }
      }
    return { codes, scales, zeros };
  };

  const packed = (values: Float32Array, rows: number, columns: number): FastWordParts => {
    const { codes, scales, zeros } = quantise(values, rows, columns);
    const stored = zeros.map((zero) => zero - zeroOffset);
    const words = byInput ? packRows(codes, columns, rows, layout) : packColumns(codes, columns, rows, BITS, layout);
    return { words, zeros: packColumns(stored, groupsOf(columns), rows, BITS, layout), scales };
  };
  const packedFast = (values: Float32Array, rows: number, columns: number): FastWordParts | undefined => {
    const fast = fastCodecs(values.length);
    if (!fast) return undefined;
    const groups = groupsOf(columns);
    const made = {
      words: new Uint32Array((rows * columns) / PER_WORD),
      zeros: new Uint32Array((rows * groups) / PER_WORD),
      scales: new Uint16Array(rows * groups),
    };
    return fast.packLinear(values, rows, columns, shape, made) ? made : undefined;
  };

  const checked = (rows: number, columns: number) => {
    const [inputs, outputs] = byInput ? [columns, rows] : [PER_WORD, rows];
    if (inputs % PER_WORD !== 0 || outputs % PER_WORD !== 0)
      throw new TensorError(
        "format-shape",
        `a linear of [${rows}, ${columns}] doesn't fill words of ${PER_WORD} values`,
      );
  };

  const codec: Codec = {
    whole: true,
    block: (columns) => Math.min(group, columns),
    bitsPerWeight: (columns) => BITS + ((16 + BITS) * groupsOf(columns)) / columns,
    parts(rows, columns) {
      checked(rows, columns);
      return {
        qweight: { dtype: "i32", shape: byInput ? [columns / PER_WORD, rows] : [columns, rows / PER_WORD] },
        qzeros: { dtype: "i32", shape: [groupsOf(columns), rows / PER_WORD] },
        scales: { dtype: "f16", shape: [groupsOf(columns), rows] },
        ...(groupIndex && { g_idx: { dtype: "i32", shape: [columns] } as const }),
      };
    },
    encode(values, rows, columns) {
      checked(rows, columns);
      const { words, zeros, scales } = packedFast(values, rows, columns) ?? packed(values, rows, columns);
      return {
        qweight: new Int32Array(words.buffer),
        qzeros: new Int32Array(zeros.buffer),
        scales,
        ...(groupIndex && { g_idx: Int32Array.from({ length: columns }, (_, i) => Math.floor(i / group)) }),
      };
    },
    decode({ qweight, qzeros, scales, g_idx }, rows, columns) {
      const groups = groupsOf(columns);
      const zeroWords = new Uint32Array(qzeros!.buffer, qzeros!.byteOffset, qzeros!.length);
      const zeros = unpackColumns(zeroWords, { rows: groups, from: 0, count: rows }, BITS, layout);
      const words = {
        bits: BITS,
        outputs: rows,
        inputs: columns,
        words: new Uint32Array(qweight!.buffer, qweight!.byteOffset, qweight!.length),
        skipped: 0,
        scales: f16ToF32(scales as Uint16Array),
        zeros: Float32Array.from(zeros, (zero) => zero + zeroOffset),
        groupOf: (g_idx as Int32Array) ?? Int32Array.from({ length: columns }, (_, i) => Math.floor(i / group)),
      };
      return unpackLinear(words, layout);
    },
    round(values, rows, columns) {
      if (fastCodecs(values.length)?.packLinear(values, rows, columns, shape)) return;
      const { codes, scales, zeros } = quantise(values, rows, columns);
      for (let row = 0; row < rows; row++)
        for (let i = 0; i < columns; i++) {
          const at = Math.floor(i / group) * rows + row;
          values[row * columns + i] = f16ToNumber(scales[at]!) * (codes[i * rows + row]! - zeros[at]!);
        }
    },
    bound(block) {
      const scale = f16ToNumber(stepsOf(block).scaleBits);
      if (!Number.isFinite(scale)) return Number.POSITIVE_INFINITY;
      const range = block.reduce((a, b) => Math.max(a, Math.abs(b)), 0) * 2;
      // Half a step; another half where rounding the zero point, or its place above the middle, cuts off an end.
      return scale * (1 + 2 ** -6) + Math.max(0, range - scale * MOST);
    },
  };
  return codec;
}

/** Puts values (rows, columns) into words down the rows: successive rows from the lowest bits up. */
function packRows(values: Uint8Array, rows: number, columns: number, layout: LinearLayout): Uint32Array {
  const words = new Uint32Array((rows * columns) / PER_WORD);
  for (let row = 0; row < rows; row++) {
    const base = Math.floor(row / PER_WORD) * columns;
    const shift = layout.places[row % PER_WORD]! * BITS;
    for (let column = 0; column < columns; column++) words[base + column]! |= values[row * columns + column]! << shift;
  }
  return words;
}

const OPTIONS = { group: [32, 64, 128], symmetric: true } as const;

export const LINEAR_FORMATS: readonly FormatEntry[] = [
  {
    name: "gptq",
    title: "GPTQ, 4 bits, its first layout",
    options: OPTIONS,
    make: (options) => linear({ layout: GPTQ, zeroOffset: 1, groupIndex: true }, options),
  },
  {
    name: "gptq_v2",
    title: "GPTQ, 4 bits, its second layout",
    options: OPTIONS,
    make: (options) => linear({ layout: GPTQ, zeroOffset: 0, groupIndex: true }, options),
  },
  {
    name: "awq",
    title: "AWQ, 4 bits, its GEMM layout",
    options: OPTIONS,
    make: (options) => linear({ layout: AWQ, zeroOffset: 0, groupIndex: false }, { symmetric: false, ...options }),
  },
];
