import { GraphError, type Value } from "@llm/core-ir";
import { attr } from "./attr.ts";
import type { EmittedOp, Emitter } from "./emitters.ts";
import type { Ref, TopWriter } from "./top-writer.ts";

/** Primitives in TOP. Integers are numbers here: positions and what is made of them. */
export const primitiveEmitters: Readonly<Record<string, Emitter>> = {
  matmul: {
    emit({ ins: [x, y], attrs, shape, loc }, top) {
      const turned = { right_transpose: attr.bool(attrs.transposeB === true) };
      return [top.op("MatMul", [top.ref(x!), top.ref(y!), top.none()], shape, { loc, attrs: turned })];
    },
  },
  softmax: {
    emit: ({ ins: [x], attrs, shape, loc }, top) => [
      top.op("Softmax", [top.ref(x!)], shape, { loc, attrs: { axis: attr.si32(axisOf(attrs.axis, shape.length)) } }),
    ],
  },
  binary: { when: ({ attrs }) => Object.hasOwn(BINARY, attrs.fn as string), emit: (op, top) => [binary(op, top)] },
  unary: {
    when: ({ attrs }) => attrs.fn === "neg" || Object.hasOwn(UNARY, attrs.fn as string),
    emit({ ins: [x], attrs, shape, loc }, top) {
      if (attrs.fn === "neg")
        return [top.op("MulConst", [top.ref(x!)], shape, { loc, attrs: { const_val: attr.f64(-1) } })];
      return [top.op(UNARY[attrs.fn as string]!, [top.ref(x!)], shape, { loc })];
    },
  },
  clip: { emit: clip },
  reduce: {
    emit: ({ ins: [x], attrs, shape, loc }, top) => [
      top.op("Reduce", [top.ref(x!)], shape, {
        loc,
        attrs: {
          axes: attr.i64s((attrs.axes as number[]).map((axis) => axisOf(axis, shape.length))),
          keepdims: attr.bool(true),
          mode: attr.text(REDUCE[attrs.fn as string]!),
        },
      }),
    ],
  },
  reshape: { emit: ({ ins: [x], shape, loc }, top) => [top.op("Reshape", [top.ref(x!)], shape, { loc })] },
  transpose: {
    emit({ ins: [x], attrs, shape, loc }, top) {
      const perm = attrs.perm as number[];
      const kept = shape.length - perm.length;
      const order = [...Array(kept).keys(), ...perm.map((axis) => axis + kept)];
      return [top.op("Permute", [top.ref(x!)], shape, { loc, attrs: { order: attr.i64s(order) } })];
    },
  },
  expand: { emit: (op, top) => [expand(op, top)] },
  concat: {
    emit: ({ ins, attrs, shape, loc }, top) => [
      top.op(
        "Concat",
        ins.map((value) => top.ref(value)),
        shape,
        { loc, attrs: { axis: attr.si32(axisOf(attrs.axis, shape.length)) } },
      ),
    ],
  },
  split: { emit: split },
  slice: {
    emit({ ins: [x], attrs, loc }, top) {
      const { start, end, step = 1 } = attrs as { start: number; end: number; step?: number };
      return [cut(top, top.ref(x!), { axis: axisOf(attrs.axis, x!.type.shape.length), start, end, step }, loc)];
    },
  },
  gather: { when: ({ attrs }) => attrs.along !== true, emit: (op, top) => [gather(op, top)] },
  iota: { emit: ({ shape }, top) => [top.countTo(shape[0]!)] },
  topk: {
    emit({ ins: [x], attrs, outs, loc }, top) {
      const shapes = outs.map(({ type }) => type.shape as number[]);
      const axis = attr.i64(x!.type.shape.length - 1);
      return top.ops("TopK", [top.ref(x!)], shapes, { loc, attrs: { axis, K: attr.i64(attrs.k as number) } });
    },
  },
  cast: {
    // Integers are numbers already; there is one width of numbers until the compiler chooses others.
    when: ({ attrs, ins: [x] }) => attrs.to !== "bool" && x!.type.dtype !== "bool" && !narrows(attrs.to as string, x!),
    emit: ({ ins: [x] }, top) => [top.ref(x!)],
  },
};

/** A cast from numbers to integers cuts them off. */
function narrows(to: string, x: Value): boolean {
  return to.startsWith("i") && !x.type.dtype.startsWith("i");
}

const UNARY: Readonly<Record<string, string>> = {
  abs: "Abs",
  exp: "Exp",
  sqrt: "Sqrt",
  rsqrt: "Rsqrt",
  sin: "Sin",
  cos: "Cos",
  tanh: "Tanh",
  erf: "Erf",
  sigmoid: "Sigmoid",
  floor: "Floor",
};

const BINARY: Readonly<Record<string, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  max: "Max",
  min: "Min",
};

const REDUCE: Readonly<Record<string, string>> = {
  sum: "ReduceSum",
  mean: "ReduceMean",
  max: "ReduceMax",
  min: "ReduceMin",
};

function axisOf(axis: unknown, rank: number): number {
  return (axis as number) < 0 ? (axis as number) + rank : (axis as number);
}

/** With a known number on one side there are ops that have it as an attribute. */
function binary({ ins: [x, y], attrs, shape, loc }: EmittedOp, top: TopWriter): Ref {
  const fn = attrs.fn as string;
  const [left, right] = [top.scalar(x!), top.scalar(y!)];
  const constant = (kind: string, of: Value, value: number, more: Readonly<Record<string, string>> = {}) =>
    top.op(kind, [top.ref(of)], shape, { loc, attrs: { const_val: attr.f64(value), ...more } });
  if (right !== undefined && x!.type.shape.length === shape.length) {
    if (fn === "sub") return constant("AddConst", x!, -right);
    if (fn === "div") return constant("MulConst", x!, 1 / right);
    return constant(`${BINARY[fn]!}Const`, x!, right);
  }
  if (left !== undefined && fn !== "div" && y!.type.shape.length === shape.length) {
    if (fn === "sub") return constant("SubConst", y!, left, { is_reverse: attr.bool(true) });
    return constant(`${BINARY[fn]!}Const`, y!, left);
  }
  return top.op(BINARY[fn]!, [top.ref(x!), top.ref(y!)], shape, { loc });
}

function clip({ ins: [x], outs, attrs, shape, loc }: EmittedOp, top: TopWriter): readonly Ref[] {
  const { min, max } = attrs as { min?: number; max?: number };
  // Only rows that don't exist have negative positions, and a session has none of those: what is looked up stays as it is.
  if (x!.type.dtype === "i32" && min === 0 && max === undefined && top.isIndex(x!)) {
    top.setIndex(outs[0]!, top.index(x!));
    return [];
  }
  const bounds = { min: attr.f64(min ?? -LARGEST), max: attr.f64(max ?? LARGEST) };
  return [top.op("Clip", [top.ref(x!)], shape, { loc, attrs: bounds })];
}

/** The largest number of 16 bits. */
const LARGEST = 65504;

function expand({ ins: [x], shape, loc }: EmittedOp, top: TopWriter): Ref {
  const own = [...Array<number>(shape.length - x!.type.shape.length).fill(1), ...(x!.type.shape as number[])];
  const given = top.ref(x!);
  const raised = given.shape.join() === own.join() ? given : top.op("Reshape", [given], own, { loc: `${loc}.raised` });
  const tile = shape.map((size, axis) => size / own[axis]!);
  return tile.every((n) => n === 1)
    ? raised
    : top.op("Tile", [raised], shape, { loc, attrs: { tile: attr.i64s(tile) } });
}

function split({ ins: [x], attrs, outs, loc }: EmittedOp, top: TopWriter): readonly Ref[] {
  const axis = axisOf(attrs.axis, x!.type.shape.length);
  let end = 0;
  return (attrs.sizes as number[]).map((size, i) => {
    const start = end;
    end += size;
    return cut(top, top.ref(x!), { axis, start, end, step: 1 }, outs[i]?.id ?? `${loc}.${i}`);
  });
}

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function cut(top: TopWriter, x: Ref, { axis, start, end, step }: Cut, loc: string): Ref {
  const shape = x.shape.with(axis, Math.ceil((end - start) / step));
  const attrs = {
    offset: attr.i64s(x.shape.map((_, i) => (i === axis ? start : 0))),
    steps: attr.i64s(x.shape.map((_, i) => (i === axis ? step : 1))),
    ends: attr.i64s(x.shape.map((size, i) => (i === axis ? end : size))),
  };
  return top.op("Slice", [x, top.none(), top.none(), top.none()], shape, { loc, attrs });
}

function gather({ ins: [x, ids], attrs, shape, loc }: EmittedOp, top: TopWriter): Ref {
  const axis = axisOf(attrs.axis, x!.type.shape.length);
  if (axis !== 0) throw new GraphError("unsupported", `gather ${loc}: this device looks up whole rows only`);
  return top.op("Gather", [top.ref(x!), top.index(ids!)], shape, { loc, attrs: { axis: attr.si32(0) } });
}
