/** Where a selection by mass ends: everything below `key`, and the first `ties` of those equal to it. */
export interface Cut {
  readonly key: number;
  readonly ties: number;
}

const BUCKETS = 1024;
const FEW = 32;
const buckets = new Float64Array(BUCKETS);

/**
 * Items in order of ascending key are taken while less than `target` mass was taken before, and up to the first that has any
 * mass in any case; says where that ends. Looks closer and closer at where the border lies, so that it takes a few passes over
 * the items, not a sort. Keys are finite.
 */
export function selectByMass(keys: Float64Array, masses: Float64Array, target: number): Cut {
  let items = new Uint32Array(keys.length);
  for (let i = 0; i < items.length; i++) items[i] = i;
  let left = Math.max(target, Number.MIN_VALUE);
  for (;;) {
    const [low, high] = extent(keys, items);
    const scale = (BUCKETS - 1) / (high - low);
    if (items.length <= FEW || !Number.isFinite(scale)) return walk(keys, masses, items, left);
    buckets.fill(0);
    for (const item of items) buckets[((keys[item]! - low) * scale) | 0]! += masses[item]!;
    let border = 0;
    while (border < BUCKETS - 1 && buckets[border]! < left) left -= buckets[border++]!;
    let inside = 0;
    for (const item of items) if ((((keys[item]! - low) * scale) | 0) === border) items[inside++] = item;
    items = items.subarray(0, inside);
  }
}

/** As `selectByMass`, one by one. */
function walk(keys: Float64Array, masses: Float64Array, items: Uint32Array, target: number): Cut {
  const [low, high] = extent(keys, items);
  if (low < high) items.sort((a, b) => keys[a]! - keys[b]!);
  let key = -1;
  let ties = 0;
  let left = target;
  for (const item of items) {
    if (left <= 0) break;
    ties = keys[item] === key ? ties + 1 : 1;
    key = keys[item]!;
    left -= masses[item]!;
  }
  return { key, ties };
}

function extent(keys: Float64Array, items: Uint32Array): readonly [low: number, high: number] {
  let low = Infinity;
  let high = -Infinity;
  for (const item of items) {
    const key = keys[item]!;
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
  if (stride < 8 || rank > SAMPLES) return -Infinity;
  for (let i = 0; i < SAMPLES; i++) sample[i] = scores[i * stride]!;
  return sample.sort()[SAMPLES - rank]!;
}
