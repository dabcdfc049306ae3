import type { WeightExpr } from "@llm/tensor";
import { GraphError } from "./error.ts";
import { axisOf } from "./shape.ts";

/** The shape of what an expression makes; an error says where its parts don't fit. */
export function weightShape(expr: WeightExpr): readonly number[] {
  switch (expr.op) {
    case "tensor":
    case "constant":
      return expr.shape;
    case "either":
      return allAlike(expr.of.map(weightShape), "alternatives");
    case "slice": {
      const shape = weightShape(expr.of);
      return shape.with(axisOf(expr.axis, shape.length), expr.end - expr.start);
    }
    case "permute": {
      const shape = weightShape(expr.of);
      return expr.perm.map((p) => shape[p]!);
    }
    case "reshape":
      return expr.shape;
    case "concat": {
      const shapes = expr.of.map(weightShape);
      const axis = axisOf(expr.axis, shapes[0]!.length);
      allAlike(
        shapes.map((shape) => shape.with(axis, 0)),
        "concatenated tensors off their axis",
      );
      return shapes[0]!.with(
        axis,
        shapes.reduce((sum, shape) => sum + shape[axis]!, 0),
      );
    }
    case "stack":
      return [expr.of.length, ...allAlike(expr.of.map(weightShape), "stacked tensors")];
    case "rowNorm":
      return weightShape(expr.of).slice(0, -1);
    case "encode":
      return weightShape(expr.of);
  }
}

/** Names of the checkpoint tensors an expression may read; alternatives included. */
export function weightNames(expr: WeightExpr): string[] {
  switch (expr.op) {
    case "tensor":
      return [expr.name];
    case "constant":
      return [];
    case "either":
    case "concat":
    case "stack":
      return expr.of.flatMap(weightNames);
    default:
      return weightNames(expr.of);
  }
}

function allAlike(shapes: readonly (readonly number[])[], what: string): readonly number[] {
  const [first] = shapes;
  if (!first) throw new GraphError("type", `no ${what}`);
  for (const shape of shapes)
    if (shape.join() !== first.join())
      throw new GraphError("type", `${what} differ in shape: [${first.join(", ")}] and [${shape.join(", ")}]`);
  return first;
}
