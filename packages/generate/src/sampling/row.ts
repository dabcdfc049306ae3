import { type Divided, Nearest, type Weighed } from "./nearest.ts";
import { likelyBar, selectByMass } from "./select.ts";
import { BLOCK, type Sweeps } from "./sweeps/sweeps.ts";
import { sweepsFor } from "./sweeps/sweeps-for.ts";

/** What is possible next, in ascending order of ids; probabilities sum to 1. */
export interface Distribution {
  readonly ids: Int32Array;
  readonly probs: Float64Array;
}

/** The highest number that a 32-bit float can be. */
export const HIGHEST = 3.4028234663852886e38;
const LOWEST = -HIGHEST;

/**
 * The scores of a vocabulary at one temperature, and which of them are still possible. What filters leave is all between two
 * scores, so that ruling out the rest is two comparisons, put off until somebody asks for masses.
 */
export class Row {
  readonly #sweeps: Sweeps;
  readonly #nearest: Nearest;
  /** Where what is possible no longer lies where its id says. */
  #ids: Int32Array | undefined;
  #blocks = 0;
  #best = -Infinity;
  #least = LOWEST;
  #most = Infinity;
  #isRestricted = true; // to these two
  #isWeighed = false;
  #total: number | undefined;

  /** Where scores may be written that are then loaded: the row's own, which every load and filter changes. */
  readonly scores: Float32Array;

  constructor(vocab: number, sweeps: Sweeps = sweepsFor(vocab)) {
    this.#sweeps = sweeps;
    this.scores = sweeps.scores.subarray(0, vocab);
    this.#nearest = new Nearest(sweeps);
  }

  /** Takes scores over, divided by the temperature in 32 bits, as the reference does. */
  load(scores: Float32Array, temperature: number): void {
    const own = this.#sweeps.scores;
    if (scores !== this.scores) own.set(scores);
    own.fill(-Infinity, scores.length);
    this.#start(own.length / BLOCK);
    this.#best = this.#sweeps.divide(this.#blocks, temperature);
  }

  #start(blocks: number, ids?: Int32Array): void {
    this.#blocks = blocks;
    this.#ids = ids;
    this.#least = LOWEST;
    this.#most = Infinity;
    this.#isRestricted = true;
    this.#isWeighed = false;
    this.#total = undefined;
  }

  /** The best score there was: what masses and distances are relative to. */
  get best(): number {
    return this.#best;
  }

  /** The best of the scores that are still possible. */
  bestLeft(): number {
    if (this.#best <= this.#most) return this.#best;
    this.total(); // restricts
    return this.#sweeps.divide(this.#blocks, 1);
  }

  /** Rules out what isn't between two scores, both included. */
  keep(least: number, most = Infinity): void {
    this.#least = Math.max(this.#least, least);
    this.#most = Math.min(this.#most, most);
    this.#isRestricted = false;
    this.#total = undefined;
  }

  /** Σ e^(score − best) of what is possible. */
  total(): number {
    if (this.#total !== undefined) return this.#total;
    this.#weigh();
    this.#restrict();
    return (this.#total = this.#sumUp());
  }

  /** How far from the best what is possible is, each counting by its mass. */
  meanDistance(): number {
    this.#restrict();
    const distances = this.#sweeps.weighAndMeasure(this.#blocks, this.#best);
    this.#isWeighed = true;
    this.#total = this.#sumUp();
    return distances / this.#total;
  }

  #weigh(): void {
    if (!this.#isWeighed) this.#sweeps.weigh(this.#blocks, this.#best);
    this.#isWeighed = true;
  }

  #restrict(): void {
    if (!this.#isRestricted) this.#sweeps.restrict(this.#blocks, this.#least, this.#most);
    this.#isRestricted = true;
  }

  #sumUp(): number {
    let total = 0;
    for (let block = 0; block < this.#blocks; block++) total += this.#sweeps.sums[block]!;
    return total;
  }

  /** Leaves the k best, and those as good as the last of them. */
  keepBest(k: number): void {
    const { scores } = this.#sweeps;
    const nearest = this.#nearest;
    const bar = likelyBar(scores, this.#blocks * BLOCK, k);
    nearest.look(this.#divided, 0, 0, Math.min(this.#best - bar, HIGHEST));
    if (nearest.count < k) nearest.look(this.#divided, 0, 0, HIGHEST);
    if (nearest.count < k) return;
    const cut = selectByMass(nearest.distances, undefined, nearest.count, k);
    const last = scores[nearest.tiedAt(cut)[cut.ties - 1]!]!;
    this.keep(last);
    if (nearest.count < (this.#blocks * BLOCK) / 8)
      this.#only(nearest.found.subarray(0, nearest.count).filter((index) => scores[index]! >= last));
  }

  /** Leaves the fewest best that have so much mass together, one at least: of equals those with the lowest ids. */
  keepMass(target: number): void {
    const { scores } = this.#sweeps;
    const cut = this.#nearest.reach(this.#weighed(), 0, target);
    const tied = this.#nearest.tiedAt(cut);
    for (const index of tied.subarray(cut.ties)) scores[index] = -Infinity;
    this.keep(scores[tied[cut.ties - 1]!]!);
  }

  /** How far from a distance those are that have so much mass together, the nearest first. */
  radius(center: number, target: number): number {
    return this.#nearest.reach(this.#weighed(), center, target).key;
  }

  get #divided(): Divided {
    return { blocks: this.#blocks, best: this.#best };
  }

  #weighed(): Weighed {
    return { blocks: this.#blocks, best: this.#best, total: this.total() };
  }

  /** Goes on with a few. */
  #only(indices: Int32Array): void {
    const { scores } = this.#sweeps;
    const ids = this.#idsOf(indices);
    for (let at = 0; at < indices.length; at++) scores[at] = scores[indices[at]!]!;
    const blocks = Math.ceil(ids.length / BLOCK);
    scores.fill(-Infinity, ids.length, blocks * BLOCK);
    this.#start(blocks, ids);
  }

  #idsOf(indices: Int32Array): Int32Array {
    const ids = this.#ids;
    return ids ? indices.map((index) => ids[index]!) : indices.slice();
  }

  /** The token at which the masses, in order of ids, exceed a share of all; nothing where nothing is possible. */
  draw(share: number): number | undefined {
    this.#weigh();
    const [least, most] = [this.#least, this.#most];
    if (!this.#isRestricted) this.#sweeps.tally(this.#blocks, least, most); // cheaper, and as good for one draw
    const { scores, masses, sums } = this.#sweeps;
    let left = share * this.#sumUp();
    let last = this.#blocks - 1;
    while (last > 0 && sums[last] === 0) last--;
    let block = 0;
    while (block < last && left >= sums[block]!) left -= sums[block++]!;
    let token = -1;
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
      if (masses[i] === 0 || scores[i]! < least || scores[i]! > most) continue;
      token = i;
      if ((left -= masses[i]!) < 0) break; // if never, rounding left a sliver past the last
    }
    return token < 0 ? undefined : (this.#ids?.[token] ?? token);
  }

  /** What `draw` goes by. */
  distribution(): Distribution {
    const total = this.total();
    const { masses, found } = this.#sweeps;
    const indices = found.subarray(0, this.#sweeps.gather(this.#blocks, this.#best, 0, 0, HIGHEST));
    const probs = new Float64Array(indices.length);
    for (let i = 0; i < probs.length; i++) probs[i] = masses[indices[i]!]! / total;
    return { ids: this.#idsOf(indices), probs };
  }
}
