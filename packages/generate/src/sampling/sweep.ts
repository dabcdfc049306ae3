import type { Candidates } from "./candidates.ts";
import { sweepScores } from "./fast-exp.ts";
import { likelyOf } from "./select.ts";
import { errorOf } from "./whole-vocabulary.ts";

/** What one pass over a large vocabulary tells; scores and distances are divided by the temperature. */
export interface Swept {
  readonly best: number;
  /** Every score above this is among the candidates. */
  readonly floor: number;
  /** Σ e^(score − best) over all, and the mean distance from the best, each counting by its mass. */
  readonly total: number;
  readonly mean: number;
  /** How far both may be off, relative to what they are (to what they are and 1, the mean). */
  readonly error: number;
  /** Some of the scores, as they are, ascending: a view that lives until the next sweep. */
  readonly sample: Float32Array;
}

/** So many of the best are written down on the way, about. */
const FEW = 256;
/** How far the best may lie above the best of a sample. */
const ABOVE = 16;

/** Fills with the few best, and sums up all the others. Nothing where a vocabulary is small, or too strange to go by a sample. */
export function sweep(c: Candidates, scores: Float32Array, temperature: number): Swept | undefined {
  const likely = likelyOf(scores, FEW);
  if (!likely) return undefined;
  const t = Math.fround(temperature);
  const reference = likely.best / t + ABOVE;
  const { masses, distances, count } = sweepScores(scores, { t, reference, bar: likely.bar }, c);
  c.fillGathered(count, t);
  const best = c.best();
  if (!(best < reference) || !(masses > 0)) return undefined;
  const above = reference - best;
  const floor = likely.bar / t + Math.abs(likely.bar / t) * 1e-6; // whatever the division rounds
  return {
    best,
    floor,
    total: masses * Math.exp(above),
    mean: Math.max(0, distances / masses - above),
    error: errorOf(best),
    sample: likely.sample,
  };
}
