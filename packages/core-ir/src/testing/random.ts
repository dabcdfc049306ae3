import { sizeOf, type Tensor } from "@llm/tensor";

/** Numbers in [0, 1), the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Floats between −1 and 1. */
export function randomFloats(random: () => number, shape: readonly number[]): Tensor {
  return { dtype: "f32", shape, data: Float32Array.from({ length: sizeOf(shape) }, () => 2 * random() - 1) };
}

export function intTensor(shape: readonly number[], values: readonly number[]): Tensor {
  return { dtype: "i32", shape, data: Int32Array.from(values) };
}

/** The largest difference; NaN on one side only, or differing shapes, count as infinite. */
export function maxDifference(a: Tensor, b: Tensor): number {
  if (a.shape.join() !== b.shape.join() || a.dtype !== b.dtype) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [Number(a.data[i]), Number(b.data[i])];
    if (Object.is(x, y) || x === y) continue;
    const difference = Math.abs(x - y);
    most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  }
  return most;
}
