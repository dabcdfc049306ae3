import { type Attrs, type Dim, decoder, dimValue, GraphBuilder, primitive, type Sizes } from "@llm/core-ir";
import { type DType, sizeOf, type Tensor, tensor } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { runOnnx } from "../run-onnx.test.support.ts";
import { toOnnx } from "../to-onnx.ts";

interface Case {
  readonly kind: string;
  readonly attrs?: Attrs;
  readonly ins: readonly Operand[];
}

interface Operand {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Integers up to this; floats lie in ±2 unless said. */
  readonly from?: number;
  readonly to?: number;
  readonly values?: readonly number[];
}

const SIZES: Sizes = { b: 2, n: 3, m: 5 };
const f = (...shape: Dim[]): Operand => ({ dtype: "f32", shape });
const positive = (...shape: Dim[]): Operand => ({ dtype: "f32", shape, from: 0.1, to: 3 });
const i = (from: number, to: number, ...shape: Dim[]): Operand => ({ dtype: "i32", shape, from, to });
const b = (...shape: Dim[]): Operand => ({ dtype: "bool", shape, from: 0, to: 1 });

const given = (shape: Dim[], ...values: number[]): Operand => ({ dtype: "i32", shape, values });

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

/** A sequence that looks random and is the same every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function values({ dtype, shape, from = -2, to = 2, values }: Operand, next: () => number): Tensor {
  const sizes = shape.map((dim) => dimValue(dim, SIZES));
  const numbers =
    values ??
    Array.from({ length: sizeOf(sizes) }, () =>
      dtype === "f32" ? from + (to - from) * next() : Math.floor(from + (to - from + 1) * next()),
    );
  const data = { f32: Float32Array, i32: Int32Array, bool: Uint8Array }[dtype as "f32"].from(numbers);
  return tensor(dtype, sizes, data);
}

/** Builds one op with operands as inputs; further operands in a case only bind symbols. */
function build({ kind, attrs = {}, ins }: Case) {
  const def = primitive.ops[kind];
  const builder = new GraphBuilder(kind, [primitive, decoder]);
  for (const symbol of Object.keys(SIZES)) builder.dim(symbol, { min: 1, max: 64 });
  const operands = ins.map(({ dtype, shape }, index) => builder.input(`in${index}`, dtype, shape));
  const count = def.operands[0]?.startsWith("...") ? ins.length : def.operands.length;
  for (const result of builder.ops(kind, operands.slice(0, count), attrs)) builder.output(result);
  const bound = Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => [name, def.attrs.fields[name].dims ? bind(value as Dim) : value]),
  );
  return { graph: builder.finish(), def, count, bound };
}

function bind(value: Dim | readonly Dim[]): number | number[] {
  return Array.isArray(value) ? value.map((dim) => dimValue(dim, SIZES)) : dimValue(value as Dim, SIZES);
}

export function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data.length).toBe(expected.data.length);
  for (let n = 0; n < expected.data.length; n++) {
    const [a, e] = [Number(actual.data[n]), Number(expected.data[n])];
    const off = Number.isNaN(e) ? (Number.isNaN(a) ? 0 : 1) : Math.abs(a - e) / Math.max(1, Math.abs(e));
    if (!(off < 2e-6) && a !== e) expect.fail(`element ${n} is ${a}, not ${e}`);
  }
}

describe.each([17, 18, 21])("primitives at opset %i, on ONNX Runtime", (opset) => {
  test.each(CASES.map((c, index) => [`${c.kind} ${JSON.stringify(c.attrs ?? {})} #${index}`, c] as const))(
    "%s",
    async (_, c) => {
      const next = random(7);
      const { graph, def, count, bound } = build(c);
      const inputs = c.ins.map((operand) => values(operand, next));
      const expected = def.eval!(inputs.slice(0, count), bound as never);
      const model = toOnnx(graph, { opset });
      const actual = await runOnnx(model, Object.fromEntries(inputs.map((value, index) => [`in${index}`, value])));
      expect(actual.length).toBe(expected.length);
      actual.forEach((result, index) => {
        expectClose(result, expected[index]);
      });
    },
  );
});
