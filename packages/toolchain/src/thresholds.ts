import { codecOf, FORMATS, formatName } from "@llm/tensor";
import type { Distance, LogitsDistance } from "./compare.ts";

/** How far an implementation may be from the float32 reference. */
export interface Thresholds {
  /** Largest difference, as a share of the largest value there is (of 1, where all are smaller). */
  readonly relative: number;
  readonly cosine: number;
  readonly top1Agreement: number;
}

/**
 * By the precision that a target computes in. Float32 sums in another order differ in the last bits of each of a few thousand
 * terms; halves keep eleven bits of significand, or eight. Below that the figures say that it is still this model, not how
 * good a copy: a wrong scale, a swapped nibble or a lost tensor ends far outside of them.
 */
export const THRESHOLDS = {
  fp32: { relative: 2e-4, cosine: 0.99999, top1Agreement: 1 },
  fp16: { relative: 2e-2, cosine: 0.999, top1Agreement: 0.9 },
  bf16: { relative: 1e-1, cosine: 0.99, top1Agreement: 0.75 },
  int8: { relative: 2e-1, cosine: 0.995, top1Agreement: 0.5 },
  int4: { relative: 1, cosine: 0.9, top1Agreement: 0 },
} as const satisfies Readonly<Record<string, Thresholds>>;

/** The options of a target that say how precise it is. */
export interface Precision {
  readonly format?: unknown;
  /** Of targets that call formats so. */
  readonly mode?: unknown;
  readonly kvFormat?: unknown;
  readonly activations?: unknown;
  /** Of targets that have one format besides their own for keys and values. */
  readonly mxint8?: unknown;
}

/** The thresholds for a target's options: those of the least precise thing it is told to keep in a format. */
export function thresholdsFor({ format, mode, kvFormat, activations, mxint8 }: Precision): Thresholds {
  const found = [format, mode, kvFormat, activations, mxint8 === true ? "mxint8" : undefined].map(thresholdsOf);
  return found.reduce((loosest, one) => (one.relative > loosest.relative ? one : loosest));
}

function thresholdsOf(format: unknown): Thresholds {
  const name = typeof format === "string" ? formatName(format) : "fp32";
  if (Object.hasOwn(THRESHOLDS, name)) return THRESHOLDS[name as keyof typeof THRESHOLDS];
  if (!Object.hasOwn(FORMATS, name)) return THRESHOLDS.fp32;
  // Others by what a value has room for: five bits and less are no more precise than int4.
  const bits = codecOf({ format: name }).bitsPerWeight(COLUMNS);
  return bits >= 8 ? THRESHOLDS.int8 : bits >= 6 ? SIX_BITS : THRESHOLDS.int4;
}

/** Columns of a matrix whose bits are counted. */
const COLUMNS = 4096;

const SIX_BITS: Thresholds = { relative: 5e-1, cosine: 0.97, top1Agreement: 0.25 };

/** What the largest difference may be, beside values of which `largest` is the largest magnitude. */
export function allowedError(largest: number, { relative }: Thresholds): number {
  return relative * Math.max(1, largest);
}

/** Whether a distance holds; NaN never does. */
export function holds(
  found: Distance | LogitsDistance,
  allowed: number,
  { cosine, top1Agreement }: Thresholds,
): boolean {
  const agreed = !("top1Agreement" in found) || found.top1Agreement >= top1Agreement;
  return agreed && found.maxAbs <= allowed && found.cosine >= cosine;
}
