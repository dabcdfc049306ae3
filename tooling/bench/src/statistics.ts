/** The middle value; the mean of the two middle ones when there is no single one. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which `fraction` of the values lie, between neighbours where it must. */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const at = fraction * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

export interface Spread {
  readonly median: number;
  readonly low: number; // first quartile
  readonly high: number; // third quartile
}

/** Median and quartiles: what is quoted of anything measured on a shared machine. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** Ratios of the pairs measured in the same round, so that a slow spell hits both sides of each. */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ratiosOf(ours, theirs));
}

export function ratiosOf(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / theirs[round]);
}

/** Student's t of a two-sided 95 % interval, by degrees of freedom from 1 on; past the list the last is a little too wide. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086,
];

/** Where the mean of what was measured lies, at 95 % confidence; everywhere, after a single measurement. */
export function confidence(values: readonly number[]): { readonly low: number; readonly high: number } {
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  if (!Number.isFinite(variance)) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const off = T95[Math.min(n - 1, T95.length) - 1] * Math.sqrt(variance / n);
  return { low: mean - off, high: mean + off };
}
