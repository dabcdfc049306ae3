const STEPS = 32; // per unit: the table stays in the processor's nearest cache
const REACH = 64; // e^-64 of the best token is nothing, in any float
const TABLE = Float64Array.from({ length: STEPS * REACH + 1 }, (_, i) => Math.exp(-i / STEPS));

/**
 * e^-d for d ≥ 0, by table and the first terms of the series: some times faster than Math.exp, which matters for vocabularies
 * of 150,000. The relative error is below 1e-11 (half a step to the fifth, over 120).
 */
export function expMinus(d: number): number {
  if (d >= REACH) return 0;
  const i = (d * STEPS + 0.5) | 0;
  const r = i / STEPS - d;
  return TABLE[i]! * (1 + r * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24)))));
}

const FINE = 256;
const FINE_TABLE = Float64Array.from({ length: FINE * REACH + 2 }, (_, i) => Math.exp(-i / FINE));
FINE_TABLE[FINE * REACH] = 0; // that far and farther

/**
 * Σ e^(score / t − best) of the scores [from, to), each to 2e-6 (half a step squared, over 2) and as if the division weren't
 * rounded: a product and a table of finer steps are all it takes. Two sums go side by side, because each waits for its last. NaN
 * where a score is.
 */
export function roughMasses(scores: Float32Array, from: number, to: number, t: number, best: number): number {
  const offset = best * FINE;
  const factor = FINE / t;
  const table = FINE_TABLE;
  let even = 0;
  let odd = 0;
  let id = from;
  for (; id + 1 < to; id += 2) {
    const d = Math.min(offset - scores[id]! * factor, FINE * REACH); // in steps; hardly below 0, by rounding
    const e = Math.min(offset - scores[id + 1]! * factor, FINE * REACH);
    const i = (d + 0.5) | 0;
    const j = (e + 0.5) | 0;
    even += table[i]! * (1 + (i - d) * (1 / FINE));
    odd += table[j]! * (1 + (j - e) * (1 / FINE));
  }
  if (id < to) {
    const d = Math.min(offset - scores[id]! * factor, FINE * REACH);
    const i = (d + 0.5) | 0;
    even += table[i]! * (1 + (i - d) * (1 / FINE));
  }
  return even + odd;
}

/** Sums over a whole vocabulary, and how many of the best were written down on the way. */
export interface SweepSums {
  readonly masses: number;
  /** Of masses times their distance from the reference. */
  readonly distances: number;
  readonly count: number;
}

/**
 * One pass for all that filters need to know: the same sum, relative to any reference that is no less than the best; that of
 * masses times distances; and the ids and scores of at least `bar`, as they are.
 */
export function sweepScores(
  scores: Float32Array,
  { t, reference, bar }: { readonly t: number; readonly reference: number; readonly bar: number },
  found: { readonly ids: Int32Array; readonly scores: Float32Array },
): SweepSums {
  const offset = reference * FINE;
  const factor = FINE / t;
  const table = FINE_TABLE;
  const { ids, scores: kept } = found;
  let masses = 0;
  let distances = 0;
  let count = 0;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]!;
    const d = Math.min(offset - score * factor, FINE * REACH);
    const i = (d + 0.5) | 0;
    const mass = table[i]! * (1 + (i - d) * (1 / FINE));
    masses += mass;
    distances += mass * d;
    if (score >= bar) {
      ids[count] = id;
      kept[count++] = score;
    }
  }
  return { masses, distances: distances / FINE, count };
}
