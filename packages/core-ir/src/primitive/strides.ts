import { sizeOf, type Tensor } from "@llm/tensor";
import type { Type } from "../graph.ts";
import { stridesOf } from "../values.ts";

/** For each element of a broadcast shape, the index of the element of `t` that it is. */
export function stretch(t: Tensor | Type, shape: readonly number[]): Int32Array {
  const own = t.shape as readonly number[];
  const strides = stridesOf(own);
  const steps = shape.map((_, axis) => {
    const mine = axis - (shape.length - own.length);
    return mine < 0 || own[mine] === 1 ? 0 : strides[mine]!;
  });
  return walk(shape, steps);
}

/** Where each element of `shape` lies, in row-major order, when its axes' neighbours are `steps` apart. */
export function walk(shape: readonly number[], steps: readonly number[]): Int32Array {
  const at = new Int32Array(sizeOf(shape));
  let run = 1;
  shape.forEach((size, axis) => {
    // From the outside in: each place so far becomes `size` places. Backwards, so that none is overwritten before its turn.
    for (let i = run - 1; i >= 0; i--) for (let n = size - 1; n >= 0; n--) at[i * size + n] = at[i]! + n * steps[axis]!;
    run *= size;
  });
  return at;
}
