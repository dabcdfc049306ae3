/** Scores are weighed in blocks of this many; each block's masses have a sum. */
export const BLOCK = 1024;

/**
 * Distances are counted in bins around the multiples of this width, as far as there are bins. The last takes what is farther, and
 * so do VECTOR − 1 past it.
 */
export const BIN_WIDTH = 1 / 256;
export const BINS = 4096;
/** Tokens are taken four at a time, as vectors have them. */
export const VECTOR = 4;

/**
 * Passes over a large vocabulary, each a loop without decisions: all that sampling does to every token is done here, and the rest
 * to few. The arrays belong to the sweeps and are what they work on; `blocks` says how many blocks of them count. What a block
 * has past the vocabulary's end is -Infinity.
 *
 * A distance is |best − score − center|, rounded to 32 bits after each operation.
 */
export interface Sweeps {
  readonly scores: Float32Array;
  /** e^(score − best), as `weigh` left them. */
  readonly masses: Float64Array;
  /** Of each block's masses. */
  readonly sums: Float64Array;
  readonly bins: Float64Array;
  /** Indices, as `gather` left them. */
  readonly found: Int32Array;

  /** Divides the scores in place, in 32 bits, makes -Infinity of NaN, and returns the best. */
  divide(blocks: number, by: number): number;
  /** Makes masses and sums. */
  weigh(blocks: number, best: number): void;
  /** Makes masses and sums, and returns Σ mass · (best − score). */
  weighAndMeasure(blocks: number, best: number): number;
  /** Makes impossible what isn't between two scores, both included, and makes the sums anew. */
  restrict(blocks: number, least: number, most: number): void;
  /** Makes the same sums, and changes nothing else. */
  tally(blocks: number, least: number, most: number): void;
  /** Makes the bins: what those weigh that are at a distance, of the first four tokens of each `every`. */
  histogram(blocks: number, best: number, center: number, every: number): void;
  /** What those weigh that are nearer than a distance. */
  within(blocks: number, best: number, center: number, distance: number): number;
  /** Finds the indices of those at a distance of `least` to `most`, both included, in ascending order; returns how many. */
  gather(blocks: number, best: number, center: number, least: number, most: number): number;
}
