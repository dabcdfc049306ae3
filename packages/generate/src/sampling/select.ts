const BUCKETS = 4096;
const counts = new Float64Array(BUCKETS);

/** Where a selection by mass ends: everything below `key`, and the first `ties` of those equal to it. */
export interface Cut {
  readonly key: number;
  readonly ties: number;
}

/**
 * Items in order of ascending key are taken while less than `target` mass was taken before, and up to the first that has any
 * mass in any case; says where that ends. Keys are 0 or more. Sorts only the bucket in which the border lies, so that it takes a few passes over the items, not a sort.
 */
export function selectByMass(keys: Float64Array, masses: Float64Array, count: number, target: number): Cut {
  const least = Math.max(target, Number.MIN_VALUE);
  let most = 0;
  for (let i = 0; i < count; i++) if (keys[i]! > most && keys[i]! !== Infinity) most = keys[i]!;
  const scale = most > 0 ? (BUCKETS - 1) / Math.min(most, 32) : 0; // past 32 there is next to no mass
  const bucketOf = (key: number): number => (key * scale >= BUCKETS - 1 ? BUCKETS - 1 : (key * scale) | 0);
  counts.fill(0);
  for (let i = 0; i < count; i++) counts[bucketOf(keys[i]!)]! += masses[i]!;
  let before = 0;
  let border = 0;
  while (border < BUCKETS - 1 && before + counts[border]! < least) before += counts[border++]!;

  const inside: number[] = [];
  for (let i = 0; i < count; i++) if (bucketOf(keys[i]!) === border) inside.push(i);
  inside.sort((a, b) => keys[a]! - keys[b]! || a - b);
  let key = -1;
  let ties = 0;
  for (const i of inside) {
    if (before >= least && key >= 0) break;
    ties = keys[i] === key ? ties + 1 : 1;
    key = keys[i]!;
    before += masses[i]!;
  }
  return { key, ties };
}

/** The k-th largest value, by a heap of k: one pass, since almost no value enters it. */
export function kthLargest(values: Float32Array, count: number, k: number): number {
  if (k > count / 8) return values.slice(0, count).sort()[count - k]!;
  const heap = values.slice(0, k).sort(); // ascending, so a heap with its smallest first
  let smallest = heap[0]!;
  for (let i = k; i < count; i++) {
    const value = values[i]!;
    if (!(value > smallest)) continue;
    let at = 0;
    for (let child = 1; child < k; child = 2 * at + 1) {
      if (child + 1 < k && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= value) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = value;
    smallest = heap[0]!;
  }
  return smallest;
}

const SAMPLES = 1024;

/** What a sample of many scores makes of them: neither may be quite right. */
export interface Likely {
  /** A score that somewhat more than the `k` best reach. */
  readonly bar: number;
  /** About the best of all. */
  readonly best: number;
  /** The sample, ascending: a view that lives until the next is taken. */
  readonly sample: Float32Array;
}

/** Nothing where there are too few scores to take a sample of, or where it can't be gone by. */
export function likelyOf(scores: Float32Array, k: number): Likely | undefined {
  const stride = Math.floor(scores.length / SAMPLES);
  const rank = Math.ceil(k / stride) + 4;
  if (stride < 8 || rank > SAMPLES / 2) return undefined;
  for (let i = 0; i < SAMPLES; i++) sample[i] = scores[i * stride]!;
  sample.sort(); // NaN goes last
  const [bar, best] = [sample[SAMPLES - rank]!, sample[SAMPLES - 1]!];
  return bar > Number.NEGATIVE_INFINITY && best < Number.POSITIVE_INFINITY ? { bar, best, sample } : undefined;
}

const sample = new Float32Array(SAMPLES);
