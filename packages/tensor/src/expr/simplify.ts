import { sizeOf } from "../tensor.ts";
import type { WeightExpr } from "../weight-expr.ts";
import { mapOperands } from "./map.ts";
import { axisOf, shapeOf } from "./shape-of.ts";

type Op<K extends WeightExpr["op"]> = Extract<WeightExpr, { op: K }>;

/**
 * The same values said shorter: operations that do nothing go, chains become one, slices move down to where less is read.
 * `either` stays, since only a checkpoint can decide it.
 */
export function simplify(expr: WeightExpr): WeightExpr {
  const whole = mapOperands(expr, simplify);
  switch (whole.op) {
    case "either":
      return whole.of.length === 1 ? whole.of[0]! : whole;
    case "slice":
      return slice(whole);
    case "permute":
      return permute(whole);
    case "reshape":
      return reshape(whole);
    case "concat":
      return concat(whole);
    case "encode":
      return encode(whole);
    default:
      return whole;
  }
}

function slice(expr: Op<"slice">): WeightExpr {
  const { of, start, end } = expr;
  const shape = shapeOf(of);
  const axis = axisOf(expr, expr.axis, shape.length);
  if (start === 0 && end === shape[axis]) return of;
  const cut = (part: WeightExpr, along: number, from: number, to: number) =>
    slice({ op: "slice", of: part, axis: along, start: from, end: to });
  switch (of.op) {
    case "slice": {
      const inner = axisOf(of, of.axis, shape.length);
      if (inner === axis) return cut(of.of, axis, of.start + start, of.start + end);
      // Slices along several axes in the order of their axes, so that equal ones look equal.
      if (inner > axis) return { ...of, axis: inner, of: cut(of.of, axis, start, end) };
      break;
    }
    case "permute":
      return permute({ ...of, of: cut(of.of, of.perm[axis]!, start, end) });
    case "stack":
      if (axis > 0) return { ...of, of: of.of.map((part) => cut(part, axis - 1, start, end)) };
      return { ...of, of: of.of.slice(start, end) };
    case "concat": {
      const along = axisOf(of, of.axis, shape.length);
      if (along !== axis) return concat({ ...of, axis: along, of: of.of.map((part) => cut(part, axis, start, end)) });
      return concat({ ...of, axis, of: overlap(of.of, axis, start, end, cut) });
    }
    case "encode":
      // Blocks run along the last axis; the others are free.
      if (axis < shape.length - 1) return { ...of, of: cut(of.of, axis, start, end) };
      break;
    case "rowNorm":
      return { ...of, of: cut(of.of, axis, start, end) };
    default:
  }
  return { ...expr, axis };
}

type Cut = (part: WeightExpr, axis: number, start: number, end: number) => WeightExpr;

/** What is left of parts side by side between `start` and `end`. */
function overlap(parts: readonly WeightExpr[], axis: number, start: number, end: number, cut: Cut): WeightExpr[] {
  const left: WeightExpr[] = [];
  let at = 0;
  for (const part of parts) {
    const size = shapeOf(part)[axis]!;
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, size);
    if (from < to) left.push(cut(part, axis, from, to));
    at += size;
  }
  return left.length > 0 ? left : [cut(parts[0]!, axis, 0, 0)];
}

function permute(expr: Op<"permute">): WeightExpr {
  const { of, perm } = expr;
  if (of.op === "permute") return permute({ ...of, perm: perm.map((axis) => of.perm[axis]!) });
  return perm.every((axis, i) => axis === i) ? of : expr;
}

function reshape(expr: Op<"reshape">): WeightExpr {
  const { of, shape } = expr;
  if (of.op === "reshape") return reshape({ ...of, shape });
  const before = shapeOf(of);
  if (before.length === shape.length && before.every((dim, axis) => dim === shape[axis])) return of;
  return expr;
}

function concat(expr: Op<"concat">): WeightExpr {
  const rank = shapeOf(expr.of[0]!).length;
  const axis = axisOf(expr, expr.axis, rank);
  const flat = expr.of.flatMap((part) =>
    part.op === "concat" && axisOf(part, part.axis, rank) === axis ? part.of : [part],
  );
  const filled = flat.filter((part) => sizeOf(shapeOf(part)) > 0);
  const joined: WeightExpr[] = [];
  for (const part of filled.length > 0 ? filled : flat.slice(0, 1)) {
    const whole = joined.length > 0 ? rejoin(joined.at(-1)!, part, axis) : undefined;
    if (whole) joined[joined.length - 1] = whole;
    else joined.push(part);
  }
  return joined.length === 1 ? joined[0]! : { op: "concat", of: joined, axis };
}

/** Neighbouring slices of one thing as one slice. */
function rejoin(a: WeightExpr, b: WeightExpr, axis: number): WeightExpr | undefined {
  if (a.op !== "slice" || b.op !== "slice" || a.end !== b.start) return undefined;
  if (a.axis !== axis || b.axis !== axis || JSON.stringify(a.of) !== JSON.stringify(b.of)) return undefined;
  return slice({ ...a, end: b.end });
}

function encode(expr: Op<"encode">): WeightExpr {
  const { of, format } = expr;
  return of.op === "encode" && JSON.stringify(of.format) === JSON.stringify(format) ? of : expr;
}
