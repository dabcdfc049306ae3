import { massAt, REACH } from "./mass.ts";
import { BIN_WIDTH, BINS, BLOCK, type Sweeps, VECTOR } from "./sweeps.ts";

const { fround, abs } = Math;
const MAGIC = 2 ** 23; // past it 32 bits have whole numbers only, and halves go to the even one

/** What runs where WebAssembly doesn't, and says what it has to compute: sums in two lanes, as its vectors have. */
export class JavaScriptSweeps implements Sweeps {
  readonly scores: Float32Array;
  readonly masses: Float64Array;
  readonly sums: Float64Array;
  readonly bins = new Float64Array(BINS + VECTOR - 1);
  readonly found: Int32Array;

  constructor(blocks: number) {
    this.scores = new Float32Array(blocks * BLOCK);
    this.masses = new Float64Array(blocks * BLOCK);
    this.sums = new Float64Array(blocks);
    this.found = new Int32Array(blocks * BLOCK);
  }

  divide(blocks: number, by: number): number {
    const { scores } = this;
    const divisor = fround(by);
    let best = -Infinity;
    for (let i = 0; i < blocks * BLOCK; i++) {
      const score = fround(scores[i]! / divisor);
      scores[i] = Number.isNaN(score) ? -Infinity : score;
      if (score > best) best = score;
    }
    return best;
  }

  weigh(blocks: number, best: number): void {
    const { scores, masses, sums } = this;
    for (let block = 0; block < blocks; block++) {
      let even = 0;
      let odd = 0;
      for (let i = block * BLOCK; i < (block + 1) * BLOCK; i += 2) {
        even += masses[i] = massAt(best - scores[i]!);
        odd += masses[i + 1] = massAt(best - scores[i + 1]!);
      }
      sums[block] = even + odd;
    }
  }

  weighAndMeasure(blocks: number, best: number): number {
    this.weigh(blocks, best);
    const { scores, masses } = this;
    let even = 0;
    let odd = 0;
    for (let i = 0; i < blocks * BLOCK; i += 2) {
      even += masses[i]! * Math.min(REACH, best - scores[i]!);
      odd += masses[i + 1]! * Math.min(REACH, best - scores[i + 1]!);
    }
    return even + odd;
  }

  restrict(blocks: number, least: number, most: number): void {
    const { scores, masses } = this;
    for (let i = 0; i < blocks * BLOCK; i++)
      if (!(scores[i]! >= least && scores[i]! <= most)) {
        scores[i] = -Infinity;
        masses[i] = 0;
      }
    this.tally(blocks, least, most);
  }

  tally(blocks: number, least: number, most: number): void {
    const { scores, masses, sums } = this;
    for (let block = 0; block < blocks; block++) {
      const lanes = [0, 0, 0, 0];
      for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++)
        if (scores[i]! >= least && scores[i]! <= most) lanes[i % VECTOR]! += masses[i]!;
      sums[block] = sumOf(lanes);
    }
  }

  histogram(blocks: number, best: number, center: number, every: number): void {
    const { masses, bins } = this;
    const middle = fround(center);
    bins.fill(0);
    for (let from = 0; from < blocks * BLOCK; from += every)
      for (let lane = 0; lane < VECTOR; lane++) {
        const bin = Math.min(this.#distance(from + lane, best, middle) / BIN_WIDTH, BINS - 1 + lane);
        bins[fround(bin + MAGIC) - MAGIC]! += masses[from + lane]!;
      }
  }

  within(blocks: number, best: number, center: number, distance: number): number {
    const { masses } = this;
    const [middle, border] = [fround(center), fround(distance)];
    const lanes = [0, 0, 0, 0];
    for (let i = 0; i < blocks * BLOCK; i++)
      if (this.#distance(i, best, middle) < border) lanes[i % VECTOR]! += masses[i]!;
    return sumOf(lanes);
  }

  gather(blocks: number, best: number, center: number, least: number, most: number): number {
    const { found } = this;
    const [middle, low, high] = [fround(center), fround(least), fround(most)];
    let count = 0;
    for (let i = 0; i < blocks * BLOCK; i++) {
      const distance = this.#distance(i, best, middle);
      if (distance >= low && distance <= high) found[count++] = i;
    }
    return count;
  }

  #distance(index: number, best: number, middle: number): number {
    return abs(fround(fround(best - this.scores[index]!) - middle));
  }
}

/** As two vectors of two are added up. */
function sumOf([a, b, c, d]: readonly number[]): number {
  return a! + c! + (b! + d!);
}
