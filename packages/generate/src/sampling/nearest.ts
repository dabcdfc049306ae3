import { floatAbove, floatBelow } from "./float-order.ts";
import { type Cut, selectByMass } from "./select.ts";
import { massAt } from "./sweeps/mass.ts";
import { BIN_WIDTH, BINS, type Sweeps, VECTOR } from "./sweeps/sweeps.ts";

/** What of the sweeps' arrays counts, and what their scores are relative to. */
export interface Divided {
  readonly blocks: number;
  readonly best: number;
}

export interface Weighed extends Divided {
  readonly total: number; // of the masses
}

const MOST = 3.4028234663852886e38; // that a 32-bit float can be
/** So many blocks are looked into one token by one. */
const FEW_BLOCKS = 1;
/** More tokens aren't looked at one by one on a sample's word. */
const MANY = 4096;
/** Of how many tokens a sample takes a vector. */
const SAMPLED = 32;
/** More than rounding to 32 bits moves distances, where there are bins. */
const MARGIN = 2e-5;

/** Some bins next to each other, and what lies nearer than the first or the last of them. */
interface Range {
  readonly from: number;
  readonly to: number; // not included
  readonly known: { readonly bin: number; readonly mass: number };
}

/**
 * Finds where tokens, in the order of how far they are from a center, reach a mass, by looking at few of them. What it found
 * stays until the next search.
 */
export class Nearest {
  /** The indices of those around where the mass is reached, and exactly how far they are: the first `count` of each. */
  readonly found: Int32Array;
  distances: Float64Array = new Float64Array(0);
  count = 0;
  #masses = new Float64Array(0);
  readonly #sweeps: Sweeps;

  constructor(sweeps: Sweeps) {
    this.#sweeps = sweeps;
    this.found = sweeps.found;
  }

  /** Finds those between two distances, both included and rounded to 32 bits. */
  look({ blocks, best }: Divided, center: number, least: number, most: number): void {
    const { scores, found } = this.#sweeps;
    this.count = this.#sweeps.gather(blocks, best, center, least, most);
    if (this.count > this.distances.length) {
      this.distances = new Float64Array(2 * this.count);
      this.#masses = new Float64Array(2 * this.count);
    }
    const { distances } = this;
    for (let i = 0; i < this.count; i++) distances[i] = Math.abs(best - scores[found[i]!]! - center);
  }

  /** The indices of those at the distance of a cut, the best first: scores near 0 may differ by less than shows in it. */
  tiedAt({ key }: Cut): Int32Array {
    const { found, distances, count } = this;
    const { scores } = this.#sweeps;
    let tied = 0;
    for (let i = 0; i < count; i++) if (distances[i] === key) tied++;
    const indices = new Int32Array(tied);
    let isOneScore = true;
    for (let i = 0, at = 0; at < tied; i++) {
      if (distances[i] !== key) continue;
      const index = found[i]!;
      indices[at++] = index;
      if (scores[index] !== scores[indices[0]!]) isOneScore = false;
    }
    return isOneScore ? indices : indices.sort((a, b) => scores[b]! - scores[a]! || a - b);
  }

  /** How far those are that weigh `target`, the nearest first, and how many it takes of those that are just that far. */
  reach(weighed: Weighed, center: number, target: number): Cut {
    const least = Math.max(target, Number.MIN_VALUE); // of one at least that has any mass
    const isFew = weighed.blocks <= FEW_BLOCKS;
    if (center === 0 && !isFew) {
      const cut = this.#cutIn(this.#sampled(weighed, least), weighed, center, least);
      if (cut) return cut;
    }
    let range = isFew ? { from: 0, to: BINS, known: { bin: 0, mass: 0 } } : this.#counted(weighed, center, least);
    for (let wider = 1; ; wider *= 4) {
      const cut = this.#cutIn(range, weighed, center, least);
      if (cut) return cut;
      const from = Math.max(0, range.from - wider);
      const known = { bin: from, mass: this.#within(weighed, center, from) };
      range = { from, to: Math.min(BINS, range.to + wider), known };
    }
  }

  /**
   * From the best down: a sample says how far away the tail is that is to be left out, which is of many tokens that weigh little
   * each. One sum over all says what it was wrong by, and the sample about how far away that is, and some more.
   */
  #sampled(weighed: Weighed, target: number): Range {
    const bins = this.#binned(weighed, 0, SAMPLED);
    const scale = SAMPLED / VECTOR;
    const bin = binBefore(bins, BINS, (weighed.total - target) / scale);
    const mass = this.#within(weighed, 0, bin);
    const wrong = Math.abs(target - mass) / scale;
    const each = massAt(bin * BIN_WIDTH);
    const reach = wrong + 3 * Math.sqrt(wrong * each) + 3 * each; // a sample of so many tokens varies by the root of how many
    const known = { bin, mass };
    return mass < target
      ? { from: bin, to: Math.min(BINS - 1, binFrom(bins, bin, { mass: reach, count: MANY / scale }) + 2), known }
      : { from: Math.max(0, binBefore(bins, bin, reach) - 1), to: bin, known };
  }

  /** From anywhere else: the few that weigh much may be on either side, so that a sample doesn't tell. */
  #counted(weighed: Weighed, center: number, target: number): Range {
    const bins = this.#binned(weighed, center, VECTOR);
    let last = BINS - 1;
    while (last > 0 && bins[last] === 0) last--;
    let mass = 0;
    let bin = 0;
    while (bin < last && mass + bins[bin]! < target) mass += bins[bin++]!;
    return { from: bin, to: bin < last ? bin + 1 : BINS, known: { bin, mass } };
  }

  #binned({ blocks, best }: Weighed, center: number, every: number): Float64Array {
    this.#sweeps.histogram(blocks, best, center, every);
    const { bins } = this.#sweeps;
    for (let past = BINS; past < bins.length; past++) bins[BINS - 1]! += bins[past]!;
    return bins;
  }

  #within({ blocks, best }: Weighed, center: number, bin: number): number {
    return bin === 0 ? 0 : this.#sweeps.within(blocks, best, center, startOf(bin));
  }

  /** The cut, if it is in these bins, and not so near to their ends that rounding could have put it there. */
  #cutIn({ from, to, known }: Range, weighed: Weighed, center: number, target: number): Cut | undefined {
    this.look(weighed, center, startOf(from), to < BINS ? floatBelow(startOf(to)) : MOST);
    const { found, count, distances } = this;
    const { masses } = this.#sweeps;
    const those = this.#masses;
    let mass = 0;
    for (let i = 0; i < count; i++) mass += those[i] = masses[found[i]!]!;
    const before = known.bin === from ? known.mass : known.mass - mass;
    const left = target - (from === 0 ? 0 : before);
    if ((from > 0 && left <= 0) || (to < BINS && left > mass)) return undefined;
    const cut = selectByMass(distances, those, count, left);
    if (center === 0) return cut; // rounding leaves those in order
    const isPastStart = from === 0 || cut.key > startOf(from) + MARGIN;
    return isPastStart && (to === BINS || cut.key < startOf(to) - MARGIN) ? cut : undefined;
  }
}

/** The least 32-bit distance in a bin: halves of the width go to the even one. */
function startOf(bin: number): number {
  const half = Math.max(0, bin - 0.5) * BIN_WIDTH;
  return bin % 2 === 0 ? half : floatAbove(half);
}

/** The bin that reaches a mass, from one on, or a number of tokens. */
function binFrom(bins: Float64Array, from: number, least: { readonly mass: number; readonly count: number }): number {
  let { mass, count } = least;
  let bin = from;
  for (; bin < BINS - 1 && mass > 0 && count > 0; bin++) {
    mass -= bins[bin]!;
    count -= bins[bin]! / massAt(bin * BIN_WIDTH);
  }
  return bin;
}

/** The bin that reaches a mass, backwards from before one. */
function binBefore(bins: Float64Array, to: number, mass: number): number {
  let left = mass;
  let bin = to;
  while (bin > 0 && (left -= bins[--bin]!) > 0);
  return bin;
}
