import fc from "fast-check";
import { shapeOf } from "../expr/shape-of.ts";
import { weights as w } from "../expr/weights.ts";
import type { Tensor } from "../tensor.ts";
import { sizeOf, tensor } from "../tensor.ts";
import type { WeightExpr } from "../weight-expr.ts";

/** Checkpoint tensors that random expressions are made of: each element has another value. */
export const STORED: Readonly<Record<string, Tensor>> = Object.fromEntries(
  [[], [7], [4, 6], [6, 4], [2, 3, 4], [3, 2, 2, 5], [1, 8], [12, 1, 2]].map((shape, i) => {
    const values = Float32Array.from({ length: sizeOf(shape) }, (_, element) => 100 * i + element + 1);
    return [`t${i}`, tensor("f32", shape, values)];
  }),
);

const leaf = fc.constantFrom(...Object.entries(STORED)).map(([name, { shape }]) => w.tensor(name, shape));

/** Shapes of the same size, with ones strewn in. */
function reshaped(size: number): fc.Arbitrary<readonly number[]> {
  const factors: number[] = [];
  for (let rest = size, factor = 2; rest > 1; ) {
    if (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    } else factor++;
  }
  const divided = fc.array(fc.nat(3), { minLength: factors.length, maxLength: factors.length }).map((places) => {
    const shape = [1, 1, 1, 1];
    for (const [i, place] of places.entries()) shape[place]! *= factors[i]!;
    return shape;
  });
  return fc.tuple(divided, fc.boolean()).map(([shape, ones]) => (ones ? shape : shape.filter((dim) => dim !== 1)));
}

/** One more operation on top. */
function wrapped(expr: WeightExpr): fc.Arbitrary<WeightExpr> {
  const shape = shapeOf(expr);
  const choices: fc.Arbitrary<WeightExpr>[] = [
    fc.constant(w.stack([expr, expr])),
    reshaped(sizeOf(shape)).map((to) => w.reshape(expr, to)),
  ];
  if (shape.length > 0) {
    const axis = fc.nat(shape.length - 1);
    choices.push(
      axis.chain((a) =>
        fc.tuple(fc.nat(shape[a]! - 1), fc.nat(shape[a]! - 1)).map(([from, to]) => {
          return w.slice(expr, a, Math.min(from, to), Math.max(from, to) + 1);
        }),
      ),
      axis.map((a) => w.concat([expr, w.slice(expr, a, 0, Math.ceil(shape[a]! / 2))], a)),
      fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }).map((perm) => w.permute(expr, perm)),
    );
  }
  return fc.oneof(...choices);
}

/** Expressions over STORED that only move values, up to `depth` operations deep. */
export function arbitraryExpr(depth = 4): fc.Arbitrary<WeightExpr> {
  return fc.nat(depth).chain((steps) => {
    let expr: fc.Arbitrary<WeightExpr> = leaf;
    for (let i = 0; i < steps; i++) expr = expr.chain((e) => (sizeOf(shapeOf(e)) > 2000 ? fc.constant(e) : wrapped(e)));
    return expr;
  });
}
