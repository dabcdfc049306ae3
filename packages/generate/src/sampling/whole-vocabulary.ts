import { expMinus, roughMasses } from "./fast-exp.ts";

const BLOCK = 1024;

/** Σ e^(score / temperature − best) over the vocabulary, without writing anything down. */
export function totalMass(scores: Float32Array, temperature: number, best: number): number {
  let total = 0;
  for (let from = 0; from < scores.length; from += BLOCK)
    total += blockMass(scores, from, Math.fround(temperature), best);
  return total;
}

/** The best score, divided by the temperature as the others are; -Infinity where none is possible. */
export function bestScore(scores: Float32Array, temperature: number): number {
  let most = -Infinity;
  for (let id = 0; id < scores.length; id++) if (scores[id]! > most) most = scores[id]!;
  return Math.fround(most / Math.fround(temperature));
}

/** How far rough masses may be off, relative to each: what rounding changes scores by that are anything beside the best. */
export function errorOf(best: number): number {
  return (Math.abs(best) + 64) * 2 ** -22 + 2e-6;
}

/** One token drawn by a number in [0, 1), when no option rules any out: the sum is taken by blocks, and one is looked into. */
export function drawFromAll(scores: Float32Array, temperature: number, u: number): number | undefined {
  const t = Math.fround(temperature);
  const best = bestScore(scores, temperature);
  if (!Number.isFinite(best)) return undefined;
  return roughDraw(scores, t, best, u) ?? exactDraw(scores, t, best, u);
}

/** The token, unless the draw is so near to the next one's that rounding could decide. */
function roughDraw(scores: Float32Array, t: number, best: number, u: number): number | undefined {
  const { length } = scores;
  const blocks = new Float64Array(Math.ceil(length / BLOCK));
  let total = 0;
  for (let i = 0; i < blocks.length; i++) {
    const from = i * BLOCK;
    total += blocks[i] = roughMasses(scores, from, Math.min(from + BLOCK, length), t, best);
  }
  const margin = 3 * errorOf(best) * total;
  let left = u * total;
  let block = 0;
  while (block < blocks.length - 1 && left >= blocks[block]!) left -= blocks[block++]!;
  for (let id = block * BLOCK; id < Math.min((block + 1) * BLOCK, length); id++) {
    const mass = roughMasses(scores, id, id + 1, t, best);
    if (left < mass) return left > margin && mass - left > margin ? id : undefined;
    left -= mass;
  }
  return undefined;
}

function exactDraw(scores: Float32Array, t: number, best: number, u: number): number | undefined {
  const blocks = new Float64Array(Math.ceil(scores.length / BLOCK));
  let total = 0;
  for (let i = 0; i < blocks.length; i++) total += blocks[i] = blockMass(scores, i * BLOCK, t, best);
  let left = u * total;
  let block = 0;
  while (block < blocks.length - 1 && left >= blocks[block]!) left -= blocks[block++]!;
  let last: number | undefined;
  for (let id = block * BLOCK; id < Math.min((block + 1) * BLOCK, scores.length); id++) {
    const mass = massOf(scores[id]!, t, best);
    if (mass === 0) continue;
    last = id;
    if ((left -= mass) < 0) return id;
  }
  return last; // rounding left a sliver past the last
}

/** Two sums side by side, because each waits for its last. */
function blockMass(scores: Float32Array, from: number, t: number, best: number): number {
  const to = Math.min(from + BLOCK, scores.length);
  let even = 0;
  let odd = 0;
  let id = from;
  for (; id + 1 < to; id += 2) {
    even += massOf(scores[id]!, t, best);
    odd += massOf(scores[id + 1]!, t, best);
  }
  return id < to ? even + odd + massOf(scores[id]!, t, best) : even + odd;
}

function massOf(score: number, t: number, best: number): number {
  return score > -Infinity ? expMinus(best - Math.fround(score / t)) : 0; // NaN is nothing, too
}
