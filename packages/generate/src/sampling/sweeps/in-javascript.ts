import { massAt, REACH } from "./mass.ts";
import { BIN_WIDTH, BINS, BLOCK, LANES, type Sweeps } from "./sweeps.ts";

const { fround, abs } = Math;

/** What runs where WebAssembly doesn't, and says what it has to compute: sums in two lanes, as its vectors have. */
export class JavaScriptSweeps implements Sweeps {
  readonly scores: Float32Array;
  readonly masses: Float64Array;
  readonly sums: Float64Array;
  readonly bins = new Float64Array(BINS * LANES);
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
    const { scores, masses, sums } = this;
    for (let block = 0; block < blocks; block++) {
      const lanes = [0, 0, 0, 0];
      for (let i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
        if (scores[i]! >= least && scores[i]! <= most) lanes[i % 4]! += masses[i]!;
        else {
          scores[i] = -Infinity;
          masses[i] = 0;
        }
      }
      sums[block] = lanes[0]! + lanes[2]! + (lanes[1]! + lanes[3]!);
    }
  }

  histogram(blocks: number, best: number, center: number): void {
    const { scores, masses, bins } = this;
    bins.fill(0);
    const middle = fround(center);
    for (let i = 0; i < blocks * BLOCK; i++) {
      const key = fround(abs(fround(fround(best - scores[i]!) - middle)) / BIN_WIDTH);
      bins[Math.min(Math.trunc(key), BINS - 1) * LANES + (i % LANES)]! += masses[i]!;
    }
  }

  gather(blocks: number, best: number, center: number, least: number, most: number): number {
    const { scores, found } = this;
    const [middle, low, high] = [fround(center), fround(least), fround(most)];
    let count = 0;
    for (let i = 0; i < blocks * BLOCK; i++) {
      const key = abs(fround(fround(best - scores[i]!) - middle));
      if (key >= low && key <= high) found[count++] = i;
    }
    return count;
  }
}
