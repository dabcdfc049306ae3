import type { Candidates } from "./candidates.ts";
import { expMinus } from "./fast-exp.ts";
import { minP } from "./filters.ts";
import { selectByMass } from "./select.ts";
import { bestScore, roughMoments, roughTotal, totalMass } from "./whole-vocabulary.ts";

/**
 * The first filter of a large vocabulary: fills with what it leaves, without weighing or writing down all the rest. False where
 * that can't be said for sure; then all are candidates, and the filter itself decides.
 */
export type Fill = (c: Candidates, scores: Float32Array, temperature: number, value: number) => boolean;

/** Among this many of the best the border of a nucleus is looked for first, where there are many times more. */
const FEW = 256;
const isLarge = ({ length }: Float32Array): boolean => length > 16 * FEW;

/** The nucleus, when it is among the few best, as it is nearly always. */
export const fillNucleus: Fill = (c, scores, temperature, p) => {
  if (!isLarge(scores)) return false;
  c.fill(scores, temperature, FEW);
  if (c.count === 0) return false;
  const best = c.best();
  const sorted = c.scores.slice(0, c.count).sort();
  const { total, error } = roughTotal(scores, temperature, best);
  const roughly = nucleusIn(sorted, p * total, p * total * error);
  const border = roughly ?? nucleusIn(sorted, p * totalMass(scores, temperature, best), 0);
  if (border === undefined) return false;
  let { ties } = border;
  c.keep((i) => c.scores[i]! > border.score || (c.scores[i] === border.score && ties-- > 0));
  return true;
};

interface Border {
  readonly score: number;
  readonly ties: number; // how many of those with just that score belong to it
}

/** Where the best of these scores (which ascend) reach a mass; nothing if they don't, or if `error` could move it. */
function nucleusIn(sorted: Float32Array, target: number, error: number): Border | undefined {
  const best = sorted.at(-1)!;
  let mass = 0;
  let ties = 0;
  for (let i = sorted.length - 1; i >= 0; i--) {
    const score = sorted[i]!;
    ties = score === sorted[i + 1] ? ties + 1 : 1;
    mass += expMinus(best - score);
    if (mass >= target - error) return mass >= target + error ? { score, ties } : undefined;
  }
  return undefined;
}

export const fillMinP: Fill = (c, scores, temperature, share) => {
  if (!isLarge(scores)) return false;
  const best = bestScore(scores, temperature);
  c.fillFrom(scores, temperature, best + Math.log(share) - 1e-6);
  if (c.count === 0) return false;
  minP(c, share);
  return true;
};

export const fillEpsilon: Fill = (c, scores, temperature, epsilon) => {
  if (!isLarge(scores)) return false;
  const best = bestScore(scores, temperature);
  const { total, error } = roughTotal(scores, temperature, best);
  return fillCutoff(c, scores, temperature, { best, bar: epsilon * total, error });
};

export const fillEta: Fill = (c, scores, temperature, epsilon) => {
  if (!isLarge(scores)) return false;
  const best = bestScore(scores, temperature);
  const { total, mean, error } = roughMoments(scores, temperature, best);
  // The entropy is the mean distance from the best, and the logarithm of the sum.
  const bar = Math.min(epsilon, Math.sqrt(epsilon) * (Math.exp(-mean) / total)) * total;
  return fillCutoff(c, scores, temperature, { best, bar, error: error * (2 * mean + 2) });
};

/** Those of at least a mass, and the best in any case. */
function fillCutoff(
  c: Candidates,
  scores: Float32Array,
  temperature: number,
  { best, bar, error }: { readonly best: number; readonly bar: number; readonly error: number },
): boolean {
  if (!(bar > 0)) return false;
  c.fillFrom(scores, temperature, best + Math.min(0, Math.log(bar * (1 - error))));
  if (c.count === 0) return false;
  c.weigh();
  for (let i = 0; i < c.count; i++) if (Math.abs(c.masses[i]! - bar) <= error * bar) return false;
  c.keep((i) => c.masses[i]! >= bar || c.scores[i] === best);
  return true;
}

export const fillTypical: Fill = (c, scores, temperature, share) => {
  if (!isLarge(scores)) return false;
  const best = bestScore(scores, temperature);
  const { total, mean, error } = roughMoments(scores, temperature, best);
  if (!(total > 0)) return false;
  // Nearly all mass is at most so far from the best: what is farther is less typical than any of that.
  c.fillFrom(scores, temperature, best - (2 * mean + 1));
  if (c.count === 0 || c.weigh() < share * total * (1 + error)) return false;
  // How surprising a token is, less how surprising one is to be expected.
  const { keys } = c;
  for (let i = 0; i < c.count; i++) keys[i] = Math.abs(best - c.scores[i]! - mean);
  const [low, high] = [1 - error, 1 + error].map((off) => selectByMass(keys, c.masses, c.count, share * total * off));
  if (low!.key !== high!.key) return false;
  const { key } = low!;
  const unsure = error * (4 * mean + 4);
  for (let i = 0; i < c.count; i++) if (keys[i] !== key && Math.abs(keys[i]! - key) <= unsure) return false;
  c.keep((i) => keys[i]! <= key);
  return true;
};
