/** Where a selection by mass ends: everything below `key`, and the first `ties` of those equal to it. */
export interface Cut {
  readonly key: number;
  readonly ties: number;
}

const BUCKETS = 1024;
const FEW = 32;
const buckets = new Float64Array(BUCKETS);
let scratch = new Uint32Array(0);

/**
 * The first `count` items in order of ascending key are taken while less than `target` mass was taken before, and up to the first
 * that has any mass in any case; says where that ends. Without masses each counts as 1. Looks closer and closer at where the
 * border lies, so that it takes a few passes over the items, not a sort. Keys are finite.
 */
export function selectByMass(keys: Float64Array, masses: Float64Array | undefined, count: number, target: number): Cut {
  if (scratch.length < count) scratch = new Uint32Array(2 * count);
  let items = scratch.subarray(0, count);
  for (let i = 0; i < count; i++) items[i] = i;
  let left = Math.max(target, Number.MIN_VALUE);
  for (;;) {
    const [low, high] = extent(keys, items);
    const scale = (BUCKETS - 1) / (high - low);
    if (items.length <= FEW || !Number.isFinite(scale)) {
      if (low < high) items.sort((a, b) => keys[a]! - keys[b]!);
      return walk(keys, masses, items, left);
    }
    buckets.fill(0);
    for (let i = 0; i < items.length; i++)
      buckets[((keys[items[i]!]! - low) * scale) | 0]! += masses ? masses[items[i]!]! : 1;
    let border = 0;
    while (border < BUCKETS - 1 && buckets[border]! < left) left -= buckets[border++]!;
    let inside = 0;
    for (let i = 0; i < items.length; i++)
      if ((((keys[items[i]!]! - low) * scale) | 0) === border) items[inside++] = items[i]!;
    items = items.subarray(0, inside);
  }
}

/** One by one. */
function walk(keys: Float64Array, masses: Float64Array | undefined, sorted: Uint32Array, target: number): Cut {
  let key = -1;
  let ties = 0;
  let left = target;
  for (let i = 0; i < sorted.length && left > 0; i++) {
    ties = keys[sorted[i]!] === key ? ties + 1 : 1;
    key = keys[sorted[i]!]!;
    left -= masses ? masses[sorted[i]!]! : 1;
  }
  return { key, ties };
}

function extent(keys: Float64Array, items: Uint32Array): readonly [low: number, high: number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < items.length; i++) {
    const key = keys[items[i]!]!;
    if (key < low) low = key;
    if (key > high) high = key;
  }
  return [low, high];
}

const SAMPLES = 1024;
const sample = new Float32Array(SAMPLES);

/**
 * A score that the `k` best reach and few others, if a sample of them is like all; -Infinity where there are too few to take a
 * sample of.
 */
export function likelyBar(scores: Float32Array, count: number, k: number): number {
  const stride = Math.floor(count / SAMPLES);
  const expected = k / stride;
  const rank = Math.ceil(expected + 4 + 4 * Math.sqrt(expected));
  if (stride < 2 || rank > SAMPLES) return -Infinity;
  for (let i = 0; i < SAMPLES; i++) sample[i] = scores[i * stride]!;
  return sample.sort()[SAMPLES - rank]!;
}
