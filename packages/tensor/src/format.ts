import type { DType } from "./dtype.ts";

/**
 * How a logical tensor's values are encoded. A plain format is a dtype; the others are entries of the codec table,
 * each with its block size, bits per weight, layout and bounds.
 */
export type Format = DType | BlockFormat;

/** GGUF's block types by their own names, published quantised layouts, FP8 with or without scales, chip formats. */
export type BlockFormat = GgufFormat | "gptq" | "awq" | "f8_e4m3" | ChipFormat;

export type GgufFormat =
  | "q4_0"
  | "q4_1"
  | "q5_0"
  | "q5_1"
  | "q8_0"
  | "q2_K"
  | "q3_K"
  | "q4_K"
  | "q5_K"
  | "q6_K"
  | "iq4_nl"
  | "iq4_xs"
  | "gguf_mxfp4";

/** A format's numerics; its byte layouts ("packings") are in the codec's entry. */
export type ChipFormat = "int8" | "int4" | "mxfp6_e2m3" | "mxfp6_e3m2" | "mxfp4" | "mxint8";
