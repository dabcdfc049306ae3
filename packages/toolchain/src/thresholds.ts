import type { Distance, LogitsDistance } from "./compare.ts";

/** How far an implementation may be from the reference. */
export interface Thresholds {
  /** Largest difference, as a share of the largest value there is (of 1, where all are smaller). */
  readonly relative: number;
  readonly cosine: number;
  readonly top1Agreement: number;
}

/**
 * By the precision that a target computes in. Float32 sums in another order differ in the last bits of each of a few thousand
 * terms; halves keep eleven bits of significand, or eight.
 */
export const THRESHOLDS: Readonly<Record<"fp32" | "fp16" | "bf16", Thresholds>> = {
  fp32: { relative: 2e-4, cosine: 0.99999, top1Agreement: 1 },
  fp16: { relative: 2e-2, cosine: 0.999, top1Agreement: 0.95 },
  bf16: { relative: 1e-1, cosine: 0.99, top1Agreement: 0.9 },
};

/** Whether a distance holds; NaN never does. `largest` is the largest absolute value of what was expected. */
export function holds(
  found: Distance | LogitsDistance,
  largest: number,
  { relative, cosine, top1Agreement }: Thresholds,
): boolean {
  const agreed = !("top1Agreement" in found) || found.top1Agreement >= top1Agreement;
  return agreed && found.maxAbs <= relative * Math.max(1, largest) && found.cosine >= cosine;
}
