import type { Candidates } from "./candidates.ts";
import { expMinus } from "./fast-exp.ts";
import { minP, topP } from "./filters.ts";
import { selectByMass } from "./select.ts";
import { type Swept, sweep } from "./sweep.ts";
import { bestScore, totalMass } from "./whole-vocabulary.ts";

/**
 * The first filter of a large vocabulary: fills with what it leaves, without weighing or writing down all the rest. False where
 * that can't be said for sure; then all are candidates, and the filter itself decides.
 */
export type Fill = (c: Candidates, scores: Float32Array, temperature: number, value: number) => boolean;

/** The nucleus, which is nearly always among the few best; where it isn't, among somewhat more than a sample says. */
export const fillNucleus: Fill = (c, scores, temperature, p) => {
  const swept = sweep(c, scores, temperature);
  if (!swept) return false;
  const { best, total, error, floor } = swept;
  const sorted = c.scores.slice(0, c.count).sort();
  const roughly = nucleusIn(sorted, p * total, p * total * error);
  if (roughly && roughly.score > floor) {
    let { ties } = roughly;
    c.keep((i) => c.scores[i]! > roughly.score || (c.scores[i] === roughly.score && ties-- > 0));
    return true;
  }
  const exact = totalMass(scores, temperature, best);
  let reach = likelyReach(swept, temperature, p);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++, reach = WIDER * reach + 0.5) {
    c.fillFrom(scores, temperature, best - reach);
    if (c.weigh() < p * exact) continue;
    topP(c, p, exact);
    return true;
  }
  return false;
};

/** How often, and how much, what is taken is widened where it turned out to be too little. */
const ATTEMPTS = 4;
const WIDER = 1.4;

/** How far from the best those reach that weigh somewhat more than a share of all, if the sample is like all. */
function likelyReach({ sample, best }: Swept, temperature: number, share: number): number {
  const distances = Float64Array.from(sample, (score) => Math.max(0, best - score / temperature));
  const masses = distances.map(expMinus);
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  let left = (share + (1 - share) / 4) * total;
  let at = masses.length - 1; // ascending scores: the best come last
  while (at > 0 && (left -= masses[at]!) > 0) at--;
  return distances[at]!;
}

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
  const best = bestScore(scores, temperature);
  c.fillFrom(scores, temperature, best + Math.log(share) - 1e-6);
  if (c.count === 0) return false;
  minP(c, share);
  return true;
};

export const fillEpsilon: Fill = (c, scores, temperature, epsilon) => {
  const swept = sweep(c, scores, temperature);
  if (!swept) return false;
  return fillCutoff(c, swept, { scores, temperature, bar: epsilon * swept.total, error: swept.error });
};

export const fillEta: Fill = (c, scores, temperature, epsilon) => {
  const swept = sweep(c, scores, temperature);
  if (!swept) return false;
  const { total, mean } = swept;
  // The entropy is the mean distance from the best, and the logarithm of the sum.
  const bar = Math.min(epsilon, Math.sqrt(epsilon) * (Math.exp(-mean) / total)) * total;
  return fillCutoff(c, swept, { scores, temperature, bar, error: swept.error * (2 * mean + 2) });
};

interface Cutoff {
  readonly scores: Float32Array;
  readonly temperature: number;
  /** The least mass, relative to the best's, and how far it may be off, relative to itself. */
  readonly bar: number;
  readonly error: number;
}

/** Those of at least a mass, and the best in any case. */
function fillCutoff(c: Candidates, { best, floor }: Swept, { scores, temperature, bar, error }: Cutoff): boolean {
  const lowest = best + Math.min(0, Math.log(bar * (1 - error)));
  if (lowest <= floor) c.fillFrom(scores, temperature, lowest); // more than a few
  c.weigh();
  for (let i = 0; i < c.count; i++) if (Math.abs(c.masses[i]! - bar) <= error * bar) return false;
  c.keep((i) => c.masses[i]! >= bar || c.scores[i] === best);
  return true;
}

export const fillTypical: Fill = (c, scores, temperature, share) => {
  const swept = sweep(c, scores, temperature);
  if (!swept) return false;
  const { best, floor, total, mean, error } = swept;
  if (c.weigh() < share * total * (1 + error)) return false;
  // How surprising a token is, less how surprising one is to be expected.
  const { keys } = c;
  for (let i = 0; i < c.count; i++) keys[i] = Math.abs(best - c.scores[i]! - mean);
  const [low, high] = [1 - error, 1 + error].map((off) => selectByMass(keys, c.masses, c.count, share * total * off));
  const { key } = low!;
  const unsure = error * (4 * mean + 4);
  if (key !== high!.key || best - mean - key - unsure <= floor) return false; // what is missing may be as typical
  for (let i = 0; i < c.count; i++) if (keys[i] !== key && Math.abs(keys[i]! - key) <= unsure) return false;
  c.keep((i) => keys[i]! <= key);
  return true;
};
