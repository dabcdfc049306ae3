import { fastCodecs } from "../fast-codecs.ts";

/**
 * How GPTQ and AWQ lay out a linear [outputs, inputs]: unsigned values in 32-bit words, a scale and a zero point for each group of
 * inputs and each output, everything with outputs last.
 */
export interface LinearLayout {
  /** Along which axis the values of a word of `qweight` lie. */
  readonly packed: "inputs" | "outputs";
  /** Place within a word, from the lowest bits up, of the nth of its values. */
  readonly places: readonly number[];
}

const IN_ORDER = [...Array(16).keys()];

/** GPTQ: successive inputs from the lowest bits up; zero points' words hold successive outputs. */
export const GPTQ: LinearLayout = { packed: "inputs", places: IN_ORDER };

/** AWQ's GEMM layout: outputs 0 2 4 6 1 3 5 7 of eight, from the lowest bits up. */
export const AWQ: LinearLayout = { packed: "outputs", places: [0, 4, 1, 5, 2, 6, 3, 7] };

/** A linear's words, or as much of them as a box of its weight needs. */
export interface LinearWords {
  readonly bits: number;
  readonly outputs: number;
  readonly inputs: number;
  readonly words: Uint32Array; // (inputs / per word, outputs) or (inputs, outputs / per word)
  /** Values of the first word that come before the box. */
  readonly skipped: number;
  readonly scales: Float32Array; // (groups, outputs)
  readonly zeros: Float32Array; // (groups, outputs)
  readonly groupOf: Int32Array; // (inputs)
}

/** The weight [outputs, inputs]: scale · (value − zero). */
export function unpackLinear(linear: LinearWords, layout: LinearLayout): Float32Array {
  const { bits, outputs, inputs, words, skipped, scales, zeros, groupOf } = linear;
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const byInput = layout.packed === "inputs";
  const wordColumns = byInput ? outputs : Math.ceil((skipped + outputs) / perWord);
  const values = new Float32Array(outputs * inputs);
  const places = Uint8Array.from(layout.places);
  const shape = { bits, outputs, inputs, wordColumns, skipped, byInput, words, scales, zeros, groupOf, places };
  if (fastCodecs(values.length)?.unpackLinear(shape, values)) return values;
  for (let i = 0; i < inputs; i++) {
    const group = groupOf[i]! * outputs;
    const at = i + skipped;
    const row = byInput ? Math.floor(at / perWord) * wordColumns : i * wordColumns;
    for (let o = 0; o < outputs; o++) {
      const n = o + skipped;
      const place = layout.places[byInput ? at % perWord : n % perWord]!;
      const word = words[row + (byInput ? o : Math.floor(n / perWord))]!;
      values[o * inputs + i] = scales[group + o]! * (((word >>> (place * bits)) & mask) - zeros[group + o]!);
    }
  }
  return values;
}

/** Puts values (rows, columns) into words along the columns. */
export function packColumns(values: Uint8Array, rows: number, columns: number, bits: number, layout: LinearLayout) {
  const perWord = 32 / bits;
  const words = new Uint32Array((rows * columns) / perWord);
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column += perWord, at++)
      for (let n = 0; n < perWord; n++) words[at]! |= values[row * columns + column + n]! << (layout.places[n]! * bits);
  return words;
}

/** Reads columns `from` … `from + count` of each row back, out of rows of whole words. */
export function unpackColumns(
  words: Uint32Array,
  box: { readonly rows: number; readonly from: number; readonly count: number },
  bits: number,
  layout: LinearLayout,
): Uint8Array {
  const { rows, from, count } = box;
  const perWord = 32 / bits;
  const wordColumns = words.length / rows;
  const values = new Uint8Array(rows * count);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < count; c++) {
      const n = from + c;
      const word = words[row * wordColumns + Math.floor(n / perWord)]!;
      values[row * count + c] = (word >>> (layout.places[n % perWord]! * bits)) & (2 ** bits - 1);
    }
  return values;
}
