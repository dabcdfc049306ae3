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

/** The thresholds for a target's options: those of its `format`, where it has one and it is known here. */
export function thresholdsFor({ format }: { readonly format?: unknown }): Thresholds {
  return Object.hasOwn(THRESHOLDS, String(format)) ? THRESHOLDS[format as keyof typeof THRESHOLDS] : THRESHOLDS.fp32;
}

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
