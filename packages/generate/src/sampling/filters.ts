import type { Candidates } from "./candidates.ts";
import { expMinus } from "./fast-exp.ts";
import { selectByMass } from "./select.ts";
import { roughTotal, totalMass } from "./whole-vocabulary.ts";

/** Among this many of the best the border of a nucleus is looked for first, where there are many times more. */
const FEW = 256;

/** The fewest best tokens that together have probability p: one at least. */
export function topP(c: Candidates, p: number): void {
  const target = p * c.weigh();
  const best = c.best();
  for (let i = 0; i < c.count; i++) c.keys[i] = best - c.scores[i]!;
  let { key, ties } = selectByMass(c.keys, c.masses, c.count, target);
  c.keep((i) => c.keys[i]! < key || (c.keys[i] === key && ties-- > 0));
}

/**
 * Fills with the nucleus of a large vocabulary when it is among the few best, as it is nearly always: two passes that write
 * nothing. Says whether it was.
 */
export function fillNucleus(c: Candidates, scores: Float32Array, temperature: number, p: number): boolean {
  if (scores.length <= 16 * FEW) return false;
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

/** Those at least `share` times as probable as the best. */
export function minP(c: Candidates, share: number): void {
  const best = c.best();
  const near = best + Math.log(share) - 1e-6; // spares most of them the exponential
  c.keep((i) => c.scores[i]! >= near && expMinus(best - c.scores[i]!) >= share);
}

/** Those whose surprise is nearest to the expected one, up to probability `mass`. */
export function typicalP(c: Candidates, mass: number): void {
  const total = c.weigh();
  const best = c.best();
  const logTotal = Math.log(total);
  const expected = entropy(c, total);
  for (let i = 0; i < c.count; i++) c.keys[i] = Math.abs(best - c.scores[i]! + logTotal - expected);
  const { key } = selectByMass(c.keys, c.masses, c.count, mass * total);
  c.keep((i) => c.keys[i]! <= key);
}

/** Those of at least probability `epsilon`, and the best in any case. */
export function epsilonCutoff(c: Candidates, epsilon: number): void {
  const total = c.weigh();
  const best = c.best();
  c.keep((i) => c.masses[i]! >= epsilon * total || c.scores[i] === best);
}

/** As `epsilonCutoff`, with a lower bar where the distribution is flat. */
export function etaCutoff(c: Candidates, epsilon: number): void {
  const total = c.weigh();
  epsilonCutoff(c, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(c, total))));
}

/** Needs `masses` as `weigh` left them. */
function entropy(c: Candidates, total: number): number {
  const best = c.best();
  let sum = 0;
  for (let i = 0; i < c.count; i++) sum += c.masses[i]! * (best - c.scores[i]!);
  return sum / total + Math.log(total);
}
