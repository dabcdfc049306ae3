import { floatBelow } from "./float-order.ts";
import { type Cut, likelyBar, selectByMass } from "./select.ts";
import { BIN_WIDTH, BINS, BLOCK, LANES, type Sweeps } from "./sweeps/sweeps.ts";

/** What is possible next, in ascending order of ids; probabilities sum to 1. */
export interface Distribution {
  readonly ids: Int32Array;
  readonly probs: Float64Array;
}

const LOWEST = -3.4028234663852886e38; // of what a score can be, and be possible
const MARGIN = 2e-5; // more than 32 bits round away from distances where there are bins

/**
 * The scores of a vocabulary at one temperature, and which of them are still possible. What filters leave is all between two
 * scores, so that ruling out the rest is two comparisons, put off until somebody asks for masses.
 */
export class Row {
  readonly #sweeps: Sweeps;
  /** Where what is possible no longer lies where its id says. */
  #ids: Int32Array | undefined;
  #blocks = 0;
  #best = -Infinity;
  #least = LOWEST;
  #most = Infinity;
  #isRestricted = true; // to these two
  #isWeighed = false;
  #total: number | undefined;

  constructor(sweeps: Sweeps) {
    this.#sweeps = sweeps;
  }

  /** Takes scores over, divided by the temperature in 32 bits, as the reference does. */
  load(scores: Float32Array, temperature: number): void {
    const own = this.#sweeps.scores;
    own.set(scores);
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
    if (!this.#isWeighed) this.#sweeps.weigh(this.#blocks, this.#best);
    this.#isWeighed = true;
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
    const bar = likelyBar(scores, this.#blocks * BLOCK, k);
    let found = this.#find(0, 0, this.#best - bar);
    if (found.length < k) found = this.#find(0, 0, Infinity);
    if (found.length <= k) return;
    const distances = this.#distances(found, 0);
    const cut = selectByMass(distances, new Float64Array(found.length).fill(1), k);
    const last = scores[tiedAt(cut, { found, distances, scores })[cut.ties - 1]!]!;
    this.keep(last);
    if (found.length < (this.#blocks * BLOCK) / 8) this.#only(found.filter((id) => scores[id]! >= last));
  }

  /** Leaves the fewest best that have so much mass together, one at least: of equals those with the lowest ids. */
  keepMass(target: number): void {
    const { scores } = this.#sweeps;
    const { found, distances, cut } = this.#border(0, target);
    const tied = tiedAt(cut, { found, distances, scores });
    for (const index of tied.subarray(cut.ties)) scores[index] = -Infinity;
    this.keep(scores[tied[cut.ties - 1]!]!);
  }

  /** How far from a distance those are that have so much mass together, the nearest first. */
  radius(center: number, target: number): number {
    return this.#border(center, target).cut.key;
  }

  /** Goes on with a few. */
  #only(indices: Int32Array): void {
    const { scores } = this.#sweeps;
    const ids = indices.map((index) => this.#ids?.[index] ?? index);
    for (const [at, index] of indices.entries()) scores[at] = scores[index]!;
    const blocks = Math.ceil(ids.length / BLOCK);
    scores.fill(-Infinity, ids.length, blocks * BLOCK);
    this.#start(blocks, ids);
  }

  /** Where those nearest to a distance reach a mass, found in one bin, or in some where rounding could have put it into the next. */
  #border(center: number, target: number): Border {
    this.total(); // weighs, and restricts
    this.#sweeps.histogram(this.#blocks, this.#best, center);
    const masses = this.#binMasses();
    let before = 0;
    let from = 0;
    const least = Math.max(target, Number.MIN_VALUE);
    const last = masses.findLastIndex((mass) => mass > 0);
    while (from < last && before + masses[from]! < least) before += masses[from++]!;
    for (let to = from; ; ) {
      const found = this.#find(center, from * BIN_WIDTH, to < BINS - 1 ? floatBelow((to + 1) * BIN_WIDTH) : Infinity);
      const distances = this.#distances(found, center);
      const cut = selectByMass(
        distances,
        Float64Array.from(found, (i) => this.#sweeps.masses[i]!),
        least - before,
      );
      if (from > 0 && cut.key < from * BIN_WIDTH + MARGIN) before -= masses[--from]!;
      else if (to < BINS - 1 && cut.key > (to + 1) * BIN_WIDTH - MARGIN) to++;
      else return { found, distances, cut };
    }
  }

  #binMasses(): Float64Array {
    const { bins } = this.#sweeps;
    const masses = new Float64Array(BINS);
    for (let i = 0; i < bins.length; i++) masses[(i / LANES) | 0]! += bins[i]!;
    return masses;
  }

  /** The indices of what is possible and so far from a distance, by numbers of 32 bits: a view that lives until the next call. */
  #find(center: number, least: number, most: number): Int32Array {
    const count = this.#sweeps.gather(this.#blocks, this.#best, center, least, Math.min(most, -LOWEST));
    return this.#sweeps.found.subarray(0, count);
  }

  #distances(indices: Int32Array, center: number): Float64Array {
    const distances = new Float64Array(indices.length);
    for (let i = 0; i < indices.length; i++)
      distances[i] = Math.abs(this.#best - this.#sweeps.scores[indices[i]!]! - center);
    return distances;
  }

  /** The token at which the masses, in order of ids, exceed a share of all; nothing where nothing is possible. */
  draw(share: number): number | undefined {
    let left = share * this.total();
    const { masses, sums } = this.#sweeps;
    const last = sums.subarray(0, this.#blocks).findLastIndex((sum) => sum > 0);
    let block = 0;
    while (block < last && left >= sums[block]!) left -= sums[block++]!;
    let token = -1;
    for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
      if (!(masses[i]! > 0)) continue;
      token = i;
      if ((left -= masses[i]!) < 0) break; // if never, rounding left a sliver past the last
    }
    return token < 0 ? undefined : (this.#ids?.[token] ?? token);
  }

  /** What `draw` goes by. */
  distribution(): Distribution {
    const total = this.total();
    const found = this.#find(0, 0, Infinity);
    const probs = Float64Array.from(found, (index) => this.#sweeps.masses[index]! / total);
    return { ids: found.map((index) => this.#ids?.[index] ?? index), probs };
  }
}

interface Found {
  readonly found: Int32Array;
  readonly distances: Float64Array;
}

interface Border extends Found {
  readonly cut: Cut;
}

/** Those at the end of a cut, the best first; scores near 0 may differ by less than shows in how far they are from the best. */
function tiedAt(cut: Cut, { found, distances, scores }: Found & { readonly scores: Float32Array }): Int32Array {
  const tied = found.filter((_, i) => distances[i] === cut.key);
  const first = scores[tied[0]!]!;
  return tied.every((index) => scores[index] === first) ? tied : tied.sort((a, b) => scores[b]! - scores[a]! || a - b);
}
