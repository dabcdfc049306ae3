import { describe, test } from "vitest";
import { b, type Case, expectSameOnOnnx, f, given, i, type Operand, positive } from "../cases.test.support.ts";

const CASES: readonly Case[] = [
  ...["neg", "abs", "exp", "sin", "cos", "tanh", "erf", "sigmoid", "floor"].map((fn) => unary(fn, f("b", 4))),
  ...["log", "sqrt", "rsqrt"].map((fn) => unary(fn, positive("b", 4))),
  ...["neg", "abs"].map((fn) => unary(fn, i(-9, 9, "b", 4))),
  ...["add", "sub", "mul", "max", "min", "mod", "div"].map((fn) => binary(fn, f("b", 1, 4), f("n", 4))),
  ...["add", "sub", "mul", "max", "min"].map((fn) => binary(fn, i(-9, 9, "b", 1, 4), i(-9, 9, "n", 1))),
  ...["div", "mod", "floordiv"].map((fn) => binary(fn, i(-9, 9, "b", 8), i(1, 4, 8))),
  ...["mod", "floordiv"].map((fn) => binary(fn, i(-9, 9, "b", 8), i(-4, -1, 8))),
  binary("pow", positive("b", 4), f(4)),
  ...["and", "or"].map((fn) => binary(fn, b("b", 8), b(8))),
  ...["eq", "ne", "lt", "le", "gt", "ge"].flatMap((fn) => [
    { kind: "compare", attrs: { fn }, ins: [i(0, 3, "b", 8), i(0, 3, 8)] },
    { kind: "compare", attrs: { fn }, ins: [f("b", 8), f(1, 8)] },
  ]),
  { kind: "compare", attrs: { fn: "eq" }, ins: [b("b", 8), b(8)] },
  { kind: "where", ins: [b("b", 1, 4), f("n", 4), f(1)] },
  { kind: "where", ins: [b("b", 8), i(-9, 9, 8), i(-9, 9, "b", 1)] },
  { kind: "where", ins: [b("b", 8), b(8), b("b", 1)] },
  { kind: "clip", attrs: { min: -0.5, max: 1 }, ins: [f("b", 8)] },
  { kind: "clip", attrs: { max: 1 }, ins: [f("b", 8)] },
  { kind: "clip", attrs: { min: 0 }, ins: [i(-9, 9, "b", 8)] },
  { kind: "matmul", ins: [f("b", "n", 4), f("b", 4, "m")] },
  { kind: "matmul", ins: [f("b", "n", 4), f(4, 6)] },
  { kind: "matmul", attrs: { transposeB: true }, ins: [f("n", 4), f(6, 4)] },
  { kind: "matmul", attrs: { transposeB: true }, ins: [f("b", "n", 4), f(6, 4)] },
  { kind: "matmul", attrs: { transposeB: true }, ins: [f("b", 2, "n", 4), f(2, "m", 4)] },
  { kind: "softmax", attrs: { axis: -1 }, ins: [f("b", 3, 4)] },
  { kind: "softmax", attrs: { axis: 1 }, ins: [f("b", 3, 4)] },
  ...["sum", "mean", "max", "min"].flatMap((fn) => [
    { kind: "reduce", attrs: { fn, axes: [-1] }, ins: [f("b", 3, 4)] },
    { kind: "reduce", attrs: { fn, axes: [0, 2] }, ins: [f("b", 3, 4)] },
  ]),
  ...["sum", "max", "min"].map((fn) => ({ kind: "reduce", attrs: { fn, axes: [1] }, ins: [i(-9, 9, "b", 3, 4)] })),
  { kind: "cumsum", attrs: { axis: 1 }, ins: [f("b", 5, 2)] },
  { kind: "cumsum", attrs: { axis: -1, exclusive: true }, ins: [i(0, 9, "b", 5)] },
  { kind: "topk", attrs: { k: 3 }, ins: [f("b", 8)] },
  { kind: "topk", attrs: { k: 3 }, ins: [{ ...f("b", 8), from: 1, to: 1 }] },
  { kind: "reshape", attrs: { to: ["b*n", 4] }, ins: [f("b", "n", 4)] },
  { kind: "reshape", attrs: { to: ["n", "b", 2, 2] }, ins: [f("b", "n", 4)] },
  { kind: "reshape", attrs: { to: [2, 2], last: 1 }, ins: [f("b", "n", 4)] },
  { kind: "reshape", attrs: { to: ["2*n", 1, "2*b"] }, ins: [f("b", "n", 4)] },
  { kind: "transpose", attrs: { perm: [1, 0] }, ins: [f("b", "n", 4)] },
  { kind: "transpose", attrs: { perm: [2, 0, 1] }, ins: [f("b", "n", 4)] },
  { kind: "expand", attrs: { to: ["b", "n", 4] }, ins: [f("n", 1), f("b")] },
  { kind: "concat", attrs: { axis: 1 }, ins: [f("b", "n"), f("b", 2), f("b", "m")] },
  { kind: "concat", attrs: { axis: -1 }, ins: [i(0, 9, "b", "n"), i(0, 9, "b", 2)] },
  { kind: "split", attrs: { axis: -1, sizes: [1, 3, 4] }, ins: [f("b", 8)] },
  { kind: "slice", attrs: { axis: 1, start: 1, end: 7, step: 2 }, ins: [f("b", 8)] },
  { kind: "slice", attrs: { axis: -1, start: "n", end: "m + n" }, ins: [f(2, "m + n"), f("m"), f("n")] },
  { kind: "slice", attrs: { axis: 0, start: "m - n", end: "m - 1" }, ins: [f("m", 2), f("n")] },
  { kind: "pad", attrs: { axis: -1, before: 1, after: 2, value: -1 }, ins: [f("b", 4)] },
  { kind: "pad", attrs: { axis: 0, before: "n", after: 0, value: 7 }, ins: [i(0, 9, "b", 4), f("n")] },
  { kind: "gather", attrs: { axis: 0 }, ins: [f(6, 4), i(0, 5, "b", "n")] },
  { kind: "gather", attrs: { axis: -1 }, ins: [f("b", 6), i(0, 5, 3)] },
  { kind: "gather", attrs: { axis: 1 }, ins: [b("b", 6), i(0, 5, "n")] },
  { kind: "gather", attrs: { axis: 1, along: true }, ins: [f("b", 6), i(0, 5, "b", 2)] },
  ...["drop", "wrap"].flatMap((negative) => [
    { kind: "scatter", attrs: { negative }, ins: [f("m", 4), given([3, 1], 4, -2, 0), f(3, 4)] },
    { kind: "scatter", attrs: { negative }, ins: [f("b", "m", 4), given([4, 2], 0, 4, 1, -1, -2, 0, 1, 2), f(4, 4)] },
    { kind: "scatter", attrs: { negative }, ins: [b("b", 5), given([3, 2], 0, 1, -1, 3, 1, 4), b(3)] },
  ]),
  { kind: "iota", attrs: { size: 7 }, ins: [] },
  { kind: "iota", attrs: { size: "m*n - 2" }, ins: [f("m", "n")] },
  ...["f32", "i32", "i64", "bool"].map((to) => ({ kind: "cast", attrs: { to }, ins: [f("b", 8)] })),
  { kind: "cast", attrs: { to: "f32" }, ins: [b("b", 8)] },
  { kind: "cast", attrs: { to: "f32" }, ins: [i(-9, 9, "b", 8)] },
];

function unary(fn: string, x: Operand): Case {
  return { kind: "unary", attrs: { fn }, ins: [x] };
}

function binary(fn: string, x: Operand, y: Operand): Case {
  return { kind: "binary", attrs: { fn }, ins: [x, y] };
}

describe.each([13, 14, 17, 18, 21])("primitives at opset %i, on ONNX Runtime", (opset) => {
  test.each(CASES.map((c, index) => [`${c.kind} ${JSON.stringify(c.attrs ?? {})} #${index}`, c] as const))(
    "%s",
    (_, c) => expectSameOnOnnx(c, { opset }),
  );
});
