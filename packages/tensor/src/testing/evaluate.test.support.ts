import { axisOf, shapeOf } from "../expr/shape-of.ts";
import { indices, stridesOf } from "../read/region.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import type { WeightExpr } from "../weight-expr.ts";

/** One element of an expression that only moves values, straight from what the operations mean. */
function element(expr: WeightExpr, index: readonly number[], stored: Readonly<Record<string, Tensor>>): number {
  switch (expr.op) {
    case "tensor": {
      const { data, shape } = stored[expr.name]!;
      return Number(data[flat(shape, index)]);
    }
    case "slice": {
      const axis = axisOf(expr, expr.axis, index.length);
      return element(expr.of, index.with(axis, index[axis]! + expr.start), stored);
    }
    case "permute": {
      const inner = new Array<number>(index.length);
      for (const [i, axis] of expr.perm.entries()) inner[axis] = index[i]!;
      return element(expr.of, inner, stored);
    }
    case "reshape": {
      const shape = shapeOf(expr.of);
      const at = flat(expr.shape, index);
      return element(
        expr.of,
        stridesOf(shape).map((stride, axis) => Math.floor(at / stride) % shape[axis]!),
        stored,
      );
    }
    case "concat": {
      let at = index[expr.axis]!;
      for (const part of expr.of) {
        const size = shapeOf(part)[expr.axis]!;
        if (at < size) return element(part, index.with(expr.axis, at), stored);
        at -= size;
      }
      throw new RangeError("past the end");
    }
    case "stack":
      return element(expr.of[index[0]!]!, index.slice(1), stored);
    default:
      throw new TypeError(`${expr.op} doesn't move values`);
  }
}

function flat(shape: readonly number[], index: readonly number[]): number {
  return stridesOf(shape).reduce((sum, stride, axis) => sum + stride * index[axis]!, 0);
}

/** An expression's values, element by element. */
export function evaluate(expr: WeightExpr, stored: Readonly<Record<string, Tensor>>): number[] {
  const shape = shapeOf(expr);
  if (sizeOf(shape) === 0) return [];
  return [...indices(shape)].map((index) => element(expr, index, stored));
}
