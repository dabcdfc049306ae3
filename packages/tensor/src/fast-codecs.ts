import type { TypedArray } from "./dtype.ts";

/** Floats that are converted among each other in bulk. */
export type FastFloat = "f32" | "f16" | "bf16";

/** Packed arrays to fill; without them values are rounded in place. */
export interface FastParts {
  readonly data: Uint8Array | Int8Array;
  readonly scales: Uint8Array | Uint16Array | Float32Array;
  readonly zeros?: Uint8Array;
}

export interface FastNBits {
  readonly bits: 4 | 8;
  readonly group: number;
  readonly symmetric: boolean;
  readonly scales: "f16" | "f32";
}

/** A GPTQ or AWQ linear's words, as `formats/linear-words.ts` says. */
export interface FastLinear {
  readonly bits: number;
  readonly outputs: number;
  readonly inputs: number;
  readonly wordColumns: number;
  readonly skipped: number;
  readonly byInput: boolean;
  readonly words: Uint32Array;
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
  readonly groupOf: Int32Array;
  readonly places: Uint8Array;
}

/** How a GPTQ or AWQ linear is made of 4-bit codes. */
export interface FastWords {
  readonly group: number;
  readonly symmetric: boolean;
  readonly zeroOffset: 0 | 1;
  readonly byInput: boolean;
  readonly places: Uint8Array;
}

/** A published linear's arrays to fill; without them values are rounded in place. */
export interface FastWordParts {
  readonly words: Uint32Array;
  readonly zeros: Uint32Array;
  readonly scales: Uint16Array;
}

/** A linear as BM1684X has it. */
export interface FastLanes {
  readonly bits: 4 | 8;
  readonly group: number;
  readonly symmetric: boolean;
  /** Signed codes, with one scale for a whole row. */
  readonly channel: boolean;
}

/**
 * Faster versions of this package's loops. They must give the same bits, but for the payload of NaNs. `undefined` and `false` say
 * that there is no such loop, and the package does the work itself.
 */
export interface FastCodecs {
  /** How many finite values became infinite. */
  convert(from: FastFloat, to: FastFloat, source: TypedArray, into: TypedArray): number | undefined;
  /** fp16's infinities as its largest numbers, in place; how many there were. */
  clipHalves(halves: Uint16Array): number | undefined;
  decodeBlocks(format: string, packed: Uint8Array, values: Float32Array): boolean;
  encodeBlocks(format: string, values: Float32Array, packed: Uint8Array): boolean;
  int8(values: Float32Array, rows: number, columns: number, group: number, into?: FastParts): boolean;
  nBits(values: Float32Array, rows: number, columns: number, shape: FastNBits, into?: FastParts): boolean;
  mx(format: string, values: Float32Array, rows: number, columns: number, into?: FastParts): boolean;
  unpackLinear(linear: FastLinear, values: Float32Array): boolean;
  packLinear(values: Float32Array, rows: number, columns: number, shape: FastWords, into?: FastWordParts): boolean;
  lanes(values: Float32Array, rows: number, columns: number, shape: FastLanes, into?: FastParts): boolean;
}

/** Below this many values a call costs more than it saves. */
const WORTH_A_CALL = 256;

let find: (() => FastCodecs | undefined) | undefined;

/**
 * Makes this package use faster loops, from the next call on; nothing goes back to its own. `of` is asked each time there is enough
 * to do, so that it may load them late.
 *
 * @example
 * import { nativeCodecs } from "@llm/runtime-native/codecs";
 * useFastCodecs(nativeCodecs);
 */
export function useFastCodecs(of: (() => FastCodecs | undefined) | undefined): void {
  find = of;
}

/** The faster loops, if there are any and there is enough to do. */
export function fastCodecs(values: number): FastCodecs | undefined {
  return values < WORTH_A_CALL ? undefined : find?.();
}
