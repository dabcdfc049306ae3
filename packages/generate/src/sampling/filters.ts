import type { Candidates } from "./candidates.ts";
import { expMinus } from "./fast-exp.ts";
import { selectByMass } from "./select.ts";

/** The fewest best tokens that together have probability p: one at least. `total` is what all weigh, where some are no candidates. */
export function topP(c: Candidates, p: number, total?: number): void {
  const sum = c.weigh();
  const target = p * (total ?? sum);
  const best = c.best();
  for (let i = 0; i < c.count; i++) c.keys[i] = best - c.scores[i]!;
  const { key, ties } = selectByMass(c.keys, c.masses, c.count, target);
  const border: number[] = [];
  for (let i = 0; i < c.count; i++) if (c.keys[i] === key) border.push(i);
  // Scores near 0 may differ by less than shows in how far they are from the best.
  const last = new Set(border.sort((a, b) => c.scores[b]! - c.scores[a]!).slice(0, ties));
  c.keep((i) => c.keys[i]! < key || last.has(i));
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
