import { TensorError } from "../error.ts";
import { sizeOf } from "../tensor.ts";
import type { WeightExpr } from "../weight-expr.ts";
import { exprText } from "./text.ts";

/** The shape of what an expression makes; an error says which part doesn't fit. */
export function shapeOf(expr: WeightExpr): readonly number[] {
  switch (expr.op) {
    case "tensor":
      return expr.shape;
    case "constant":
      if (expr.values.length !== sizeOf(expr.shape)) throw misfit(expr, `${expr.values.length} values don't fill it`);
      return expr.shape;
    case "either":
      return alike(expr, expr.of.map(shapeOf));
    case "slice": {
      const shape = shapeOf(expr.of);
      const axis = axisOf(expr, expr.axis, shape.length);
      const { start, end } = expr;
      if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= shape[axis]!))
        throw misfit(expr, `axis ${axis} has ${shape[axis]} entries`);
      return shape.with(axis, end - start);
    }
    case "permute": {
      const shape = shapeOf(expr.of);
      if (expr.perm.toSorted((a, b) => a - b).join() !== [...shape.keys()].join())
        throw misfit(expr, `[${expr.perm.join(", ")}] doesn't name each of ${shape.length} axes once`);
      return expr.perm.map((axis) => shape[axis]!);
    }
    case "reshape": {
      const shape = shapeOf(expr.of);
      if (sizeOf(shape) !== sizeOf(expr.shape)) throw misfit(expr, `its operand is [${shape.join(", ")}]`);
      return expr.shape;
    }
    case "concat": {
      const shapes = expr.of.map(shapeOf);
      const axis = axisOf(expr, expr.axis, shapes[0]?.length ?? 0);
      const rest = alike(
        expr,
        shapes.map((shape) => shape.with(axis, 0)),
      );
      return rest.with(
        axis,
        shapes.reduce((sum, shape) => sum + shape[axis]!, 0),
      );
    }
    case "stack":
      return [expr.of.length, ...alike(expr, expr.of.map(shapeOf))];
    case "rowNorm": {
      const shape = shapeOf(expr.of);
      if (shape.length === 0) throw misfit(expr, "a scalar has no rows");
      return shape.slice(0, -1);
    }
    case "encode":
      return shapeOf(expr.of);
  }
}

/** An axis counted from the front, out of one that may count from the back. */
export function axisOf(expr: WeightExpr, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(positive) || positive < 0 || positive >= rank)
    throw misfit(expr, `there is no axis ${axis} among ${rank}`);
  return positive;
}

function alike(expr: WeightExpr, shapes: readonly (readonly number[])[]): readonly number[] {
  const [first] = shapes;
  if (!first) throw misfit(expr, "it is made of nothing");
  for (const shape of shapes)
    if (shape.length !== first.length || shape.some((dim, axis) => dim !== first[axis]))
      throw misfit(expr, `its parts differ: [${first.join(", ")}] and [${shape.join(", ")}]`);
  return first;
}

function misfit(expr: WeightExpr, reason: string): TensorError {
  return new TensorError("expression", `${exprText(expr)}: ${reason}`);
}
