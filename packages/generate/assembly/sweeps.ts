// The loops of `src/sampling/sweeps/in-javascript.ts` with vectors: the same operations on the same numbers in the same
// order, so that both give the same bits. `pnpm --filter @llm/generate build:sweeps` compiles this.

const BLOCK: usize = 1024;
const STEPS: usize = 1024; // of the table, per power of two
const MAGIC: f32 = 8388608; // 2^23, past which 32 bits have whole numbers only

/** Divides scores in place, makes nothing of NaN, and returns the best. */
export function divide(scores: usize, blocks: i32, by: f32): f32 {
  const divisor = f32x4.splat(by);
  const nothing = f32x4.splat(-Infinity);
  let best = nothing;
  for (const end = scores + <usize>blocks * BLOCK * 4; scores < end; scores += 16) {
    const v = f32x4.div(v128.load(scores), divisor);
    const score = v128.bitselect(v, nothing, f32x4.eq(v, v));
    v128.store(scores, score);
    best = f32x4.pmax(best, score);
  }
  return max(
    max(f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1)),
    max(f32x4.extract_lane(best, 2), f32x4.extract_lane(best, 3)),
  );
}

/**
 * `massAt` of two at a time. Constants come out of memory, where `in-webassembly.ts` put them: V8 would make them anew in each
 * turn of the loop. Compiled twice: for a whole number as `Measures`, distances are added up as well.
 */
// @ts-ignore: decorator
@inline
function weighing<Measures>(
  scores: usize, masses: usize, sums: usize, blocks: i32, best: f64, constants: usize, table: usize,
): f64 {
  const reference = f64x2.splat(best);
  const perUnit = v128.load64_splat(constants);
  const magic = v128.load64_splat(constants, 8);
  const first = v128.load64_splat(constants, 16);
  const second = v128.load64_splat(constants, 24);
  const reach = v128.load64_splat(constants, 32);
  const whole = v128.load64_splat(constants, 40);
  let distances = f64x2.splat(0);
  for (let block = 0; block < blocks; block++) {
    let sum = f64x2.splat(0);
    for (const end = scores + BLOCK * 4; scores < end; scores += 8, masses += 16) {
      const d = f64x2.sub(reference, f64x2.promote_low_f32x4(v128.load64_zero(scores)));
      const z = f64x2.mul(d, perUnit);
      const s = f64x2.add(z, magic); // the nearest whole number, in its lowest bits
      const r = f64x2.sub(z, f64x2.sub(s, magic));
      const step0 = (<usize>i64x2.extract_lane(s, 0) & (STEPS - 1)) << 3;
      const step1 = (<usize>i64x2.extract_lane(s, 1) & (STEPS - 1)) << 3;
      const entry = v128.load64_lane(table + step1, v128.load64_zero(table + step0), 1);
      const power = i64x2.add(entry, i64x2.shl(v128.and(s, whole), 42)); // 52 bits up, less the table's 10
      const series = f64x2.mul(f64x2.add(f64x2.mul(second, r), first), r);
      const mass = v128.and(f64x2.add(f64x2.mul(power, series), power), f64x2.lt(d, reach));
      v128.store(masses, mass);
      sum = f64x2.add(sum, mass);
      if (isInteger<Measures>()) distances = f64x2.add(distances, f64x2.mul(mass, f64x2.pmin(reach, d)));
    }
    store<f64>(sums, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    sums += 8;
  }
  return f64x2.extract_lane(distances, 0) + f64x2.extract_lane(distances, 1);
}

export function weigh(
  scores: usize, masses: usize, sums: usize, blocks: i32, best: f64, constants: usize, table: usize,
): void {
  weighing<f64>(scores, masses, sums, blocks, best, constants, table);
}

export function weighAndMeasure(
  scores: usize, masses: usize, sums: usize, blocks: i32, best: f64, constants: usize, table: usize,
): f64 {
  return weighing<i32>(scores, masses, sums, blocks, best, constants, table);
}

/** Leaves the scores between two, with their masses. */
export function restrict(
  scores: usize, masses: usize, sums: usize, blocks: i32, least: f32, most: f32,
): void {
  const low = f32x4.splat(least);
  const high = f32x4.splat(most);
  const nothing = f32x4.splat(-Infinity);
  for (let block = 0; block < blocks; block++) {
    let even = f64x2.splat(0);
    let odd = f64x2.splat(0);
    for (const end = scores + BLOCK * 4; scores < end; scores += 16, masses += 32) {
      const score = v128.load(scores);
      const stays = v128.and(f32x4.ge(score, low), f32x4.le(score, high));
      v128.store(scores, v128.bitselect(score, nothing, stays));
      const a = v128.and(v128.load(masses), i64x2.extend_low_i32x4_s(stays));
      const b = v128.and(v128.load(masses, 16), i64x2.extend_high_i32x4_s(stays));
      v128.store(masses, a);
      v128.store(masses, b, 16);
      even = f64x2.add(even, a);
      odd = f64x2.add(odd, b);
    }
    const sum = f64x2.add(even, odd);
    store<f64>(sums, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    sums += 8;
  }
}

/** Sums of the same, which leaves all as it is. */
export function tally(
  scores: usize, masses: usize, sums: usize, blocks: i32, least: f32, most: f32,
): void {
  const low = f32x4.splat(least);
  const high = f32x4.splat(most);
  for (let block = 0; block < blocks; block++) {
    let even = f64x2.splat(0);
    let odd = f64x2.splat(0);
    for (const end = scores + BLOCK * 4; scores < end; scores += 16, masses += 32) {
      const score = v128.load(scores);
      const counts = v128.and(f32x4.ge(score, low), f32x4.le(score, high));
      even = f64x2.add(even, v128.and(v128.load(masses), i64x2.extend_low_i32x4_s(counts)));
      odd = f64x2.add(odd, v128.and(v128.load(masses, 16), i64x2.extend_high_i32x4_s(counts)));
    }
    const sum = f64x2.add(even, odd);
    store<f64>(sums, f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1));
    sums += 8;
  }
}

// @ts-ignore: decorator
@inline
function keyOf(scores: usize, best: v128, center: v128): v128 {
  return f32x4.abs(f32x4.sub(f32x4.sub(best, v128.load(scores)), center));
}

// @ts-ignore: decorator
@inline
function addTo(bin: usize, mass: f64): void {
  store<f64>(bin, load<f64>(bin) + mass);
}

/**
 * Adds masses up by how far from the center they are: those of four tokens out of each `every`. What is too far goes to four bins
 * past the last, because adding to one would wait for the addition before.
 */
export function histogram(
  scores: usize, masses: usize, blocks: i32, every: i32, best: f32, center: f32, perUnit: f32, last: f32, bins: usize,
): void {
  const from = f32x4.splat(best);
  const middle = f32x4.splat(center);
  const scale = f32x4.splat(perUnit);
  const most = f32x4.add(f32x4.splat(last), f32x4(0, 1, 2, 3));
  const magic = f32x4.splat(MAGIC);
  const first = <i32>bins - (reinterpret<i32>(MAGIC) << 3);
  const step = <usize>every << 2;
  for (const end = scores + <usize>blocks * BLOCK * 4; scores < end; scores += step, masses += step << 1) {
    const key = f32x4.mul(keyOf(scores, from, middle), scale);
    const bin = i32x4.shl(f32x4.add(f32x4.pmin(most, key), magic), 3); // the nearest whole number, in the lowest bits
    addTo(<usize>(first + i32x4.extract_lane(bin, 0)), load<f64>(masses));
    addTo(<usize>(first + i32x4.extract_lane(bin, 1)), load<f64>(masses, 8));
    addTo(<usize>(first + i32x4.extract_lane(bin, 2)), load<f64>(masses, 16));
    addTo(<usize>(first + i32x4.extract_lane(bin, 3)), load<f64>(masses, 24));
  }
}

/** What those weigh that are nearer to the center. */
export function within(
  scores: usize, masses: usize, blocks: i32, best: f32, center: f32, distance: f32,
): f64 {
  const from = f32x4.splat(best);
  const middle = f32x4.splat(center);
  const border = f32x4.splat(distance);
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  for (const end = scores + <usize>blocks * BLOCK * 4; scores < end; scores += 16, masses += 32) {
    const counts = f32x4.lt(keyOf(scores, from, middle), border);
    even = f64x2.add(even, v128.and(v128.load(masses), i64x2.extend_low_i32x4_s(counts)));
    odd = f64x2.add(odd, v128.and(v128.load(masses, 16), i64x2.extend_high_i32x4_s(counts)));
  }
  const sum = f64x2.add(even, odd);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Writes down which are at least and at most so far from the center; says how many. */
export function gather(
  scores: usize, blocks: i32, best: f32, center: f32, least: f32, most: f32, found: usize,
): i32 {
  const from = f32x4.splat(best);
  const middle = f32x4.splat(center);
  const low = f32x4.splat(least);
  const high = f32x4.splat(most);
  const start = found;
  for (let at = 0; at < blocks * <i32>BLOCK; at += 16, scores += 64) {
    const a = keyOf(scores, from, middle);
    const b = keyOf(scores + 16, from, middle);
    const c = keyOf(scores + 32, from, middle);
    const d = keyOf(scores + 48, from, middle);
    const ab = i16x8.narrow_i32x4_s(
      v128.and(f32x4.ge(a, low), f32x4.le(a, high)),
      v128.and(f32x4.ge(b, low), f32x4.le(b, high)),
    );
    const cd = i16x8.narrow_i32x4_s(
      v128.and(f32x4.ge(c, low), f32x4.le(c, high)),
      v128.and(f32x4.ge(d, low), f32x4.le(d, high)),
    );
    for (let bits = i8x16.bitmask(i8x16.narrow_i16x8_s(ab, cd)); bits; bits &= bits - 1) {
      store<i32>(found, at + ctz(bits));
      found += 4;
    }
  }
  return <i32>((found - start) >> 2);
}
