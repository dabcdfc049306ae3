import { expMinus } from "./fast-exp.ts";
import { kthLargest, likelyOf } from "./select.ts";

/** The tokens that are still possible, with their scores, in ascending order of ids. Arrays are reused from token to token. */
export class Candidates {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
  /** Scratch for the filters, one number for each candidate. */
  readonly keys: Float64Array;
  readonly masses: Float64Array;
  count = 0;
  #best: number | undefined; // of the scores as they are, once somebody asked

  constructor(vocab: number) {
    this.ids = new Int32Array(vocab);
    this.scores = new Float32Array(vocab);
    this.keys = new Float64Array(vocab);
    this.masses = new Float64Array(vocab);
  }

  /**
   * Takes over scores of the whole vocabulary, divided by the temperature (in 32 bits, as the reference does) and without what
   * is impossible or not among the `topK` best; those as good as the last of them stay. One pass over the vocabulary, because
   * that is what sampling costs.
   */
  fill(scores: Float32Array, temperature = 1, topK = 0): void {
    const t = Math.fround(temperature);
    this.#best = undefined;
    if (topK > 0 && topK < scores.length) this.#fillBest(scores, t, topK);
    else this.#fillAll(scores, t);
  }

  /** Takes over the scores that are at least `bar` once divided by the temperature. */
  fillFrom(scores: Float32Array, temperature: number, bar: number): void {
    const t = Math.fround(temperature);
    this.#best = undefined;
    this.#divide(this.#gather(scores, lowerOf(bar * t)), t, bar);
  }

  /** Takes over what `gathered` wrote into ids and scores, as many as it says, divided by the temperature. */
  fillGathered(count: number, temperature: number): void {
    this.#best = undefined;
    this.#divide(count, Math.fround(temperature), Number.NEGATIVE_INFINITY);
  }

  #fillAll(scores: Float32Array, t: number): void {
    const { ids, scores: kept } = this;
    let n = 0;
    for (let id = 0; id < scores.length; id++) {
      const score = scores[id]!;
      if (!(score > -Infinity)) continue; // NaN goes, too
      ids[n] = id;
      kept[n++] = score / t;
    }
    this.count = n;
  }

  #fillBest(scores: Float32Array, t: number, k: number): void {
    // First those that are likely to be enough, then the best of these.
    const bar = likelyOf(scores, k)?.bar ?? Number.POSITIVE_INFINITY;
    let count = this.#gather(scores, bar);
    let kth = count < k ? Number.NEGATIVE_INFINITY : kthLargest(this.scores, count, k);
    let lower = lowerOf(kth);
    if (bar > lower) {
      kth = kthLargest(scores, scores.length, k);
      lower = lowerOf(kth);
      count = this.#gather(scores, lower);
    }
    this.#divide(count, t, Math.fround(kth / t));
  }

  /** Of the first `count` scores, those that are at least `floor` once divided. */
  #divide(count: number, t: number, floor: number): void {
    let n = 0;
    for (let i = 0; i < count; i++) {
      const scaled = Math.fround(this.scores[i]! / t);
      if (scaled < floor) continue;
      this.ids[n] = this.ids[i]!;
      this.scores[n++] = scaled;
    }
    this.count = n;
  }

  /** Takes over, as they are, the scores of at least `bar`; says how many there are. */
  #gather(scores: Float32Array, bar: number): number {
    const { ids, scores: kept } = this;
    let n = 0;
    for (let id = 0; id < scores.length; id++) {
      const score = scores[id]!;
      if (!(score >= bar)) continue;
      ids[n] = id;
      kept[n++] = score;
    }
    return n;
  }

  /** Keeps those candidates, by index, for which `keep` says so. */
  keep(keep: (index: number) => boolean): void {
    this.#best = undefined;
    let n = 0;
    for (let i = 0; i < this.count; i++) {
      if (!keep(i)) continue;
      this.ids[n] = this.ids[i]!;
      this.scores[n++] = this.scores[i]!;
    }
    this.count = n;
  }

  /** Keeps the candidates with these indices, which ascend. */
  only(indices: readonly number[]): void {
    this.#best = undefined;
    for (const [n, i] of indices.entries()) {
      this.ids[n] = this.ids[i]!;
      this.scores[n] = this.scores[i]!;
    }
    this.count = indices.length;
  }

  best(): number {
    if (this.#best !== undefined) return this.#best;
    let best = -Infinity;
    for (let i = 0; i < this.count; i++) if (this.scores[i]! > best) best = this.scores[i]!;
    return (this.#best = best);
  }

  /** Writes e^(score − best) into `masses` and returns their sum. */
  weigh(): number {
    const best = this.best();
    const { scores, masses, count } = this;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const mass = expMinus(best - scores[i]!);
      masses[i] = mass;
      total += mass;
    }
    return total;
  }
}

/** A little below a score, so that what equals it once divided isn't left out; the division decides. */
function lowerOf(score: number): number {
  return Math.max(score - Math.abs(score) * 1e-6, -Number.MAX_VALUE);
}
