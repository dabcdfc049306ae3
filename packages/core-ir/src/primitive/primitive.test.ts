import type { Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import type { Attrs } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { primitive } from "./index.ts";

const f = (shape: number[], ...data: number[]): Tensor => ({ dtype: "f32", shape, data: Float32Array.from(data) });
const i = (shape: number[], ...data: number[]): Tensor => ({ dtype: "i32", shape, data: Int32Array.from(data) });
const t = (shape: number[], ...data: number[]): Tensor => ({ dtype: "bool", shape, data: Uint8Array.from(data) });

interface Case {
  readonly kind: string;
  readonly attrs?: Attrs;
  readonly ins: readonly Tensor[];
  readonly outs: readonly (readonly [shape: readonly number[], data: readonly number[]])[];
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const six = f([2, 3], 1, 2, 3, 4, 5, 6);

/** By hand, from numpy's rules; the exporter tests the same ops against ONNX Runtime. */
const CASES: readonly Case[] = [
  { kind: "iota", attrs: { size: 3 }, ins: [], outs: [[[3], [0, 1, 2]]] },
  { kind: "cast", attrs: { to: "i32" }, ins: [f([3], 1.9, -1.9, 0)], outs: [[[3], [1, -1, 0]]] },
  { kind: "cast", attrs: { to: "f16" }, ins: [f([2], 1e-9, 2049)], outs: [[[2], [0, 2048]]] },
  { kind: "cast", attrs: { to: "bool" }, ins: [i([3], 0, 2, -1)], outs: [[[3], [0, 1, 1]]] },
  { kind: "unary", attrs: { fn: "rsqrt" }, ins: [f([2], 4, 0)], outs: [[[2], [0.5, inf]]] },
  { kind: "unary", attrs: { fn: "neg" }, ins: [i([2], 4, 0)], outs: [[[2], [-4, 0]]] },
  {
    kind: "binary",
    attrs: { fn: "sub" },
    ins: [six, f([2, 1], 1, 2)],
    outs: [
      [
        [2, 3],
        [0, 1, 2, 2, 3, 4],
      ],
    ],
  },
  { kind: "binary", attrs: { fn: "mod" }, ins: [i([3], -1, 7, -7), i([], 5)], outs: [[[3], [4, 2, 3]]] },
  { kind: "binary", attrs: { fn: "floordiv" }, ins: [i([3], -1, 7, -7), i([], 5)], outs: [[[3], [-1, 1, -2]]] },
  { kind: "binary", attrs: { fn: "div" }, ins: [i([2], -7, 7), i([], 5)], outs: [[[2], [-1, 1]]] },
  { kind: "binary", attrs: { fn: "max" }, ins: [f([3], nan, 1, 2), f([3], 0, nan, 1)], outs: [[[3], [nan, nan, 2]]] },
  { kind: "binary", attrs: { fn: "and" }, ins: [t([4], 0, 0, 1, 1), t([4], 0, 1, 0, 1)], outs: [[[4], [0, 0, 0, 1]]] },
  { kind: "compare", attrs: { fn: "le" }, ins: [i([3], 1, 2, 3), i([1], 2)], outs: [[[3], [1, 1, 0]]] },
  {
    kind: "where",
    ins: [t([2, 1], 1, 0), f([2], 1, 2), f([], 9)],
    outs: [
      [
        [2, 2],
        [1, 2, 9, 9],
      ],
    ],
  },
  { kind: "clip", attrs: { min: 0, max: 2 }, ins: [f([3], -1, 1, 3)], outs: [[[3], [0, 1, 2]]] },
  {
    kind: "matmul",
    ins: [six, f([3, 2], 1, 0, 0, 1, 1, 1)],
    outs: [
      [
        [2, 2],
        [4, 5, 10, 11],
      ],
    ],
  },
  {
    kind: "matmul",
    attrs: { transposeB: true },
    ins: [f([1, 1, 3], 1, 2, 3), f([2, 1, 3], 1, 1, 1, 2, 0, 0)],
    outs: [
      [
        [2, 1, 1],
        [6, 2],
      ],
    ],
  },
  {
    kind: "softmax",
    attrs: { axis: 0 },
    ins: [f([2, 2], 0, -inf, 0, 3)],
    outs: [
      [
        [2, 2],
        [0.5, 0, 0.5, 1],
      ],
    ],
  },
  {
    kind: "reduce",
    attrs: { fn: "mean", axes: [-1] },
    ins: [six],
    outs: [
      [
        [2, 1],
        [2, 5],
      ],
    ],
  },
  { kind: "reduce", attrs: { fn: "max", axes: [0, 1] }, ins: [six], outs: [[[1, 1], [6]]] },
  {
    kind: "reduce",
    attrs: { fn: "min", axes: [0] },
    ins: [i([2, 2], 4, 1, 2, 3)],
    outs: [
      [
        [1, 2],
        [2, 1],
      ],
    ],
  },
  {
    kind: "cumsum",
    attrs: { axis: 1 },
    ins: [six],
    outs: [
      [
        [2, 3],
        [1, 3, 6, 4, 9, 15],
      ],
    ],
  },
  {
    kind: "cumsum",
    attrs: { axis: 0, exclusive: true },
    ins: [six],
    outs: [
      [
        [2, 3],
        [0, 0, 0, 1, 2, 3],
      ],
    ],
  },
  {
    kind: "topk",
    attrs: { k: 2 },
    ins: [f([4], 1, 3, 3, 2)],
    outs: [
      [[2], [3, 3]],
      [[2], [1, 2]],
    ],
  },
  {
    kind: "reshape",
    attrs: { to: [3, 2] },
    ins: [six],
    outs: [
      [
        [3, 2],
        [1, 2, 3, 4, 5, 6],
      ],
    ],
  },
  {
    kind: "reshape",
    attrs: { to: [3, 1], last: 1 },
    ins: [six],
    outs: [
      [
        [2, 3, 1],
        [1, 2, 3, 4, 5, 6],
      ],
    ],
  },
  {
    kind: "transpose",
    attrs: { perm: [1, 0] },
    ins: [six],
    outs: [
      [
        [3, 2],
        [1, 4, 2, 5, 3, 6],
      ],
    ],
  },
  {
    kind: "transpose",
    attrs: { perm: [1, 0] },
    ins: [f([2, 1, 2], 1, 2, 3, 4)],
    outs: [
      [
        [2, 2, 1],
        [1, 2, 3, 4],
      ],
    ],
  },
  {
    kind: "expand",
    attrs: { to: [2, 2, 1] },
    ins: [f([2, 1], 1, 2)],
    outs: [
      [
        [2, 2, 1],
        [1, 2, 1, 2],
      ],
    ],
  },
  {
    kind: "concat",
    attrs: { axis: -1 },
    ins: [six, f([2, 1], 7, 8)],
    outs: [
      [
        [2, 4],
        [1, 2, 3, 7, 4, 5, 6, 8],
      ],
    ],
  },
  {
    kind: "split",
    attrs: { axis: 1, sizes: [1, 2] },
    ins: [six],
    outs: [
      [
        [2, 1],
        [1, 4],
      ],
      [
        [2, 2],
        [2, 3, 5, 6],
      ],
    ],
  },
  {
    kind: "slice",
    attrs: { axis: -1, start: 0, end: 3, step: 2 },
    ins: [six],
    outs: [
      [
        [2, 2],
        [1, 3, 4, 6],
      ],
    ],
  },
  {
    kind: "pad",
    attrs: { axis: 1, before: 1, after: 0, value: 9 },
    ins: [six],
    outs: [
      [
        [2, 4],
        [9, 1, 2, 3, 9, 4, 5, 6],
      ],
    ],
  },
  {
    kind: "gather",
    attrs: { axis: 1 },
    ins: [six, i([2], 2, 0)],
    outs: [
      [
        [2, 2],
        [3, 1, 6, 4],
      ],
    ],
  },
  {
    kind: "gather",
    attrs: { axis: 1, along: true },
    ins: [six, i([2, 1], 2, 0)],
    outs: [
      [
        [2, 1],
        [3, 4],
      ],
    ],
  },
  {
    kind: "scatter",
    attrs: { negative: "drop" },
    ins: [six, i([2, 2], 0, 1, 1, -1), f([2], 8, 9)],
    outs: [
      [
        [2, 3],
        [1, 8, 3, 4, 5, 6],
      ],
    ],
  },
  {
    kind: "scatter",
    attrs: { negative: "wrap" },
    ins: [six, i([1, 1], -1), f([1, 3], 7, 8, 9)],
    outs: [
      [
        [2, 3],
        [1, 2, 3, 7, 8, 9],
      ],
    ],
  },
];

function run({ kind, attrs, ins }: Case): Tensor[] {
  const b = new Builder("case");
  const outs = b.ops(
    kind,
    ins.map((x, n) => b.input(`x${n}`, x.dtype, x.shape)),
    attrs,
  );
  for (const out of outs) b.output(out);
  const inputs = Object.fromEntries(ins.map((x, n) => [`x${n}`, x]));
  const { outputs } = interpret(b.finish(), { inputs, weights: new Map() });
  return outs.map(({ id }) => outputs[id]!);
}

describe("primitives", () => {
  it.each(CASES.map((c, n) => [`${c.kind} ${JSON.stringify(c.attrs ?? {})} #${n}`, c] as const))("%s", (_, c) => {
    const found = run(c);
    expect(found.map(({ shape }) => shape)).toEqual(c.outs.map(([shape]) => shape));
    const numbers = found.map(({ dtype, data }) =>
      dtype === "f16" ? [...new Float16Array((data as Uint16Array).slice().buffer)] : Array.from(data as Float32Array),
    );
    expect(numbers).toEqual(c.outs.map(([, data]) => data));
  });

  it("are all tried", () => {
    expect(new Set(CASES.map(({ kind }) => kind))).toEqual(new Set(Object.keys(primitive.ops)));
  });

  it.each<[string, Case, string]>([
    [
      "an index past the end",
      { kind: "gather", attrs: { axis: 0 }, ins: [six, i([1], 2)], outs: [] },
      "index 2 is not in an axis of 2",
    ],
    [
      "a scatter past the end",
      { kind: "scatter", attrs: { negative: "drop" }, ins: [six, i([1, 1], 2), f([1, 3], 0, 0, 0)], outs: [] },
      "index 2 is not in an axis of 2",
    ],
    [
      "shapes that don't broadcast",
      { kind: "binary", attrs: { fn: "add" }, ins: [six, f([2], 1, 2)], outs: [] },
      "[2, 3] and [2] don't broadcast: 3 and 2",
    ],
    [
      "sizes that don't divide",
      { kind: "reshape", attrs: { to: [4] }, ins: [six], outs: [] },
      "[2, 3] has 6 elements, [4] has 4",
    ],
    [
      "pieces that don't add up",
      { kind: "split", attrs: { axis: 1, sizes: [1, 1] }, ins: [six], outs: [] },
      "x is f32[2, 3], sizes add up to 2",
    ],
    [
      "mixed dtypes",
      { kind: "binary", attrs: { fn: "add" }, ins: [six, i([], 1)], outs: [] },
      "y is i32, x is f32: cast one",
    ],
    [
      "an axis that isn't there",
      { kind: "softmax", attrs: { axis: 2 }, ins: [six], outs: [] },
      "axis 2 is not one of 2",
    ],
  ])("refuse %s", (_, c, message) => {
    expect(() => run(c)).toThrow(message);
  });
});

describe("symbolic shapes", () => {
  it("are inferred as polynomials", () => {
    const b = new Builder("symbols");
    const x = b.input("x", "f32", ["batch", "seq", 6]);
    expect(b.reshape(x, ["batch*seq", 6]).type.shape).toEqual(["batch*seq", 6]);
    expect(b.reshape(x, [2, 3], 1).type.shape).toEqual(["batch", "seq", 2, 3]);
    expect(b.concat([x, x], 1).type.shape).toEqual(["batch", "2*seq", 6]);
    expect(b.pad(x, 1, { before: "past", after: 0, value: 0 }).type.shape).toEqual(["batch", "past + seq", 6]);
    expect(b.slice(x, 1, "seq - 1", "seq").type.shape).toEqual(["batch", 1, 6]);
    expect(() => b.reshape(x, ["batch", 6])).toThrow(
      "[batch, seq, 6] has 6*batch*seq elements, [batch, 6] has 6*batch",
    );
  });
});
