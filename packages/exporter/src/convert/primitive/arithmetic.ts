import type { Dim, Value } from "@llm/core-ir";
import { type Emission, type EmitterTable, typeOf } from "../emission.ts";
import { emitLinear } from "../linear.ts";

const REDUCE: Readonly<Record<string, string>> = {
  sum: "ReduceSum",
  mean: "ReduceMean",
  max: "ReduceMax",
  min: "ReduceMin",
};

/** Since when an op takes its axes as an input instead of an attribute. */
const AXES_ARE_INPUT: Readonly<Record<string, number>> = { sum: 13, mean: 18, max: 18, min: 18 };

/** Products, sums over axes, orders and counting, in ONNX. */
export const arithmeticEmitters: EmitterTable = {
  matmul({ attrs, names: [x, y], ins, outs }, onnx) {
    const [left, right] = [typeOf(ins[0]), typeOf(ins[1])];
    if (!attrs.transposeB) onnx.node("MatMul", [x, y], { outs });
    else if (right.shape.length === 2) emitLinear(onnx, { x, type: left, w: ins[1]!, b: "" }, outs[0]);
    else {
      const axes = [...right.shape.keys()];
      const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
      onnx.node("MatMul", [x, onnx.node("Transpose", [y], { attrs: { perm: { ints: perm } } })], { outs });
    }
  },

  softmax({ attrs, names, outs }, onnx) {
    onnx.node("Softmax", names, { attrs: { axis: { int: attrs.axis as number } }, outs });
  },

  reduce({ attrs, names: [x], outs }, onnx) {
    reduce(onnx, attrs.fn as string, x, attrs.axes as readonly number[], outs);
  },

  cumsum({ attrs, names: [x], outs }, onnx) {
    const exclusive = { int: attrs.exclusive ? 1 : 0 };
    onnx.node("CumSum", [x, onnx.scalar("i64", attrs.axis as number)], { attrs: { exclusive }, outs });
  },

  topk({ attrs, names: [x], outs: [values, ids] }, onnx) {
    const [, wide] = onnx.nodes("TopK", [x, onnx.ints([attrs.k as number])], { outs: [values, null] });
    onnx.node("Cast", [wide], { attrs: { to: { dtype: "i32" } }, outs: [ids] });
  },

  iota({ attrs, outs }, onnx) {
    const size = attrs.size as Dim;
    const limit =
      typeof size === "number"
        ? onnx.scalar("i32", size)
        : onnx.node("Cast", [onnx.node("Squeeze", [onnx.dims([size])])], { attrs: { to: { dtype: "i32" } } });
    onnx.node("Range", [onnx.scalar("i32", 0), limit, onnx.scalar("i32", 1)], { outs });
  },

  gather({ attrs, names, outs }, onnx) {
    onnx.node(attrs.along ? "GatherElements" : "Gather", names, {
      attrs: { axis: { int: attrs.axis as number } },
      outs,
    });
  },

  scatter({ attrs, names: [x, ids, updates], ins, outs }, onnx) {
    const { dtype, shape } = typeOf(ins[0]);
    const wide = onnx.node("Cast", [ids], { attrs: { to: { dtype: "i64" } } }); // the only indices ScatterND takes
    if (attrs.negative === "wrap") {
      onnx.node("ScatterND", [x, wide, updates], { outs });
      return;
    }
    // What is to be dropped is written to one row more than there is, which is then cut off.
    const [size, ...rest] = shape;
    const first = onnx.ints([0]);
    const spare = onnx.node("Expand", [onnx.scalar(dtype, 0), onnx.dims([1, ...rest])]);
    const longer = onnx.node("Concat", [x, spare], { attrs: { axis: { int: 0 } } });
    const depth = typeOf(ins[1]).shape.at(-1) as number;
    const least = depth === 1 ? wide : reduce(onnx, "min", wide, [-1]);
    const negative = onnx.node("Less", [least, first]);
    const beyond = onnx.dims([size, ...Array<number>(depth - 1).fill(0)]);
    const safe = onnx.node("Where", [negative, beyond, wide]);
    const written = onnx.node("ScatterND", [longer, safe, updates]);
    onnx.node("Slice", [written, first, onnx.dims([size]), first], { outs });
  },
};

function reduce(onnx: Emission, fn: string, x: string, axes: readonly number[], outs?: readonly Value[]): string {
  const named = outs === undefined ? {} : { outs };
  if (onnx.opset >= AXES_ARE_INPUT[fn]) return onnx.node(REDUCE[fn], [x, onnx.ints(axes)], named);
  return onnx.node(REDUCE[fn], [x], { attrs: { axes: { ints: axes } }, ...named });
}
