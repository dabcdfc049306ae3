import { addon, type CodecsAddon } from "../addon.ts";

/** Kinds of floats, GGUF's block types and the MX formats' elements, in the order in which the addon counts them. */
const FLOATS = ["f32", "f16", "bf16"];
const BLOCKS = [
  ["q4_0", 32],
  ["q4_1", 32],
  ["q5_0", 32],
  ["q5_1", 32],
  ["q8_0", 32],
  ["q2_K", 256],
  ["q3_K", 256],
  ["q4_K", 256],
  ["q5_K", 256],
  ["q6_K", 256],
  ["iq4_nl", 32],
  ["iq4_xs", 256],
  ["gguf_mxfp4", 32],
] as const;
const ELEMENTS = ["mxfp6_e2m3", "mxfp6_e3m2", "mxfp4", "mxint8"];

const BLOCK_TYPES = new Map<string, { readonly code: number; readonly block: number }>(
  BLOCKS.map(([name, block], code) => [name, { code, block }]),
);

/** A packed matrix of a format with scales; without it values are rounded in place. */
export interface NativeParts {
  readonly data: Uint8Array | Int8Array;
  readonly scales: Uint8Array | Uint16Array | Float32Array;
  readonly zeros?: Uint8Array;
}

export interface NativeNBits {
  readonly bits: 4 | 8;
  readonly group: number;
  readonly symmetric: boolean;
  readonly scales: "f16" | "f32";
}

export interface NativeLinear {
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

export interface NativeLanes {
  readonly bits: 4 | 8;
  readonly group: number;
  readonly symmetric: boolean;
  readonly channel: boolean;
}

export interface NativeWords {
  readonly group: number;
  readonly symmetric: boolean;
  readonly zeroOffset: 0 | 1;
  readonly byInput: boolean;
  readonly places: Uint8Array;
}

/** A published linear's packed tensors; without them values are rounded in place. */
export interface NativeWordParts {
  readonly words: Uint32Array;
  readonly zeros: Uint32Array;
  readonly scales: Uint16Array;
}

/**
 * Loops over numbers, in vector code and on all cores; what they give is bit for bit what `@llm/tensor`'s own give, but for the
 * payload of NaNs. `undefined` and `false` mean that there is no such loop here.
 */
export interface NativeCodecs {
  /** Floats of one kind as those of another; how many finite values became infinite. */
  convert(from: string, to: string, source: NodeJS.TypedArray, into: NodeJS.TypedArray): number | undefined;
  /** fp16's infinities as its largest numbers, in place; how many there were. */
  clipHalves(halves: Uint16Array): number | undefined;
  decodeBlocks(format: string, packed: Uint8Array, values: Float32Array): boolean;
  encodeBlocks(format: string, values: Float32Array, packed: Uint8Array): boolean;
  int8(values: Float32Array, rows: number, columns: number, group: number, into?: NativeParts): boolean;
  nBits(values: Float32Array, rows: number, columns: number, shape: NativeNBits, into?: NativeParts): boolean;
  mx(format: string, values: Float32Array, rows: number, columns: number, into?: NativeParts): boolean;
  unpackLinear(linear: NativeLinear, values: Float32Array): boolean;
  packLinear(values: Float32Array, rows: number, columns: number, shape: NativeWords, into?: NativeWordParts): boolean;
  lanes(values: Float32Array, rows: number, columns: number, shape: NativeLanes, into?: NativeParts): boolean;
}

let made: NativeCodecs | undefined;

/**
 * The addon's codecs, or nothing where there is no addon.
 *
 * @example
 * useFastCodecs(nativeCodecs); // @llm/tensor; asks for them when it first has much to do
 */
export function nativeCodecs(): NativeCodecs | undefined {
  const native = addon();
  if (native) made ??= tableOf(native.codecs);
  return made;
}

/** For tests and benches: how many threads share large work, and which of the processor's levels of vector code is used. */
export function tuneNativeCodecs({ threads, level }: { readonly threads?: number; readonly level?: string }): void {
  if (threads !== undefined) addon()?.codecs.setThreads(threads);
  if (level !== undefined) addon()?.codecs.setLevel(level);
}

/** The levels of vector code that this processor can run, best first; none without the addon. */
export function nativeCodecLevels(): readonly string[] {
  return addon()?.codecs.levels() ?? [];
}

function tableOf(codecs: CodecsAddon): NativeCodecs {
  return {
    convert(from, to, source, into) {
      const [a, b] = [FLOATS.indexOf(from), FLOATS.indexOf(to)];
      return a < 0 || b < 0 ? undefined : codecs.convert(a, b, source, into, into.length);
    },
    clipHalves: (halves) => codecs.clip(halves),
    decodeBlocks(format, packed, values) {
      const type = BLOCK_TYPES.get(format);
      if (!type || values.length % type.block !== 0) return false;
      codecs.decode(type.code, packed, values, values.length / type.block);
      return true;
    },
    encodeBlocks(format, values, packed) {
      const type = BLOCK_TYPES.get(format);
      if (!type || values.length % type.block !== 0) return false;
      return codecs.encode(type.code, values, packed, values.length / type.block);
    },
    int8(values, rows, columns, group, into) {
      codecs.int8(values, rows, columns, group, ...arraysOf(into));
      return true;
    },
    nBits(values, rows, columns, { bits, group, symmetric, scales }, into) {
      const flags = (bits === 8 ? 1 : 0) | (symmetric ? 2 : 0) | (scales === "f16" ? 4 : 0);
      codecs.nBits(values, rows, columns, group, flags, ...arraysOf(into));
      return true;
    },
    mx(format, values, rows, columns, into) {
      const element = ELEMENTS.indexOf(format);
      if (element < 0) return false;
      codecs.mx(element, values, rows, columns, ...arraysOf(into));
      return true;
    },
    unpackLinear(linear, values) {
      const { words, scales, zeros, groupOf, places, outputs, inputs, wordColumns, skipped, bits, byInput } = linear;
      // A layout for other words than these has no such places.
      const perWord = 32 / bits;
      if (places.length < perWord || places.subarray(0, perWord).some((place) => place >= perWord)) return false;
      const numbers = [outputs, inputs, wordColumns, skipped, bits, byInput] as const;
      codecs.linear(words, scales, zeros, groupOf, places, values, ...numbers);
      return true;
    },
    packLinear(values, rows, columns, { group, symmetric, zeroOffset, byInput, places }, into) {
      const flags = (symmetric ? 1 : 0) | (zeroOffset ? 2 : 0) | (byInput ? 4 : 0);
      const parts = into ? [into.words, into.zeros, into.scales] : [];
      codecs.words(values, rows, columns, group, flags, places, ...parts);
      return true;
    },
    lanes(values, rows, columns, { bits, group, symmetric, channel }, into) {
      const flags = (bits === 8 ? 1 : 0) | (symmetric ? 2 : 0) | (channel ? 4 : 0);
      codecs.lanes(values, rows, columns, group, flags, ...arraysOf(into));
      return true;
    },
  };
}

function arraysOf(parts: NativeParts | undefined): NodeJS.TypedArray[] {
  if (!parts) return [];
  return parts.zeros ? [parts.data, parts.scales, parts.zeros] : [parts.data, parts.scales];
}
