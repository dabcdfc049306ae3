import { decoder, GraphBuilder, primitive } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { type Case, expectSameOnOnnx, f, given, i, type Operand, positive } from "./cases.test.support.ts";
import { toOnnx } from "./to-onnx.ts";

const layer = { kind: "layer", eps: 1e-5 };
const rms = { kind: "rms", eps: 1e-6 };

const freqs = [1, 0.1];
const alibi = { slopes: [0.5, 0.25, 0.125, 0.0625], anchor: "relative" };
const positions = i(0, 40, "b", "n");
/** Two slots, their tokens in turn. What an op makes of tokens that don't exist is not compared. */
const packed = { positions: given(["m"], 0, 1, 0, 2, 1), slots: given(["m"], 0, 0, 1, 0, 1) };
const padded = { positions: given(["b", "n"], 0, 1, 2, 4, 5, 6) };
const qkv = (...tokens: string[]): Operand[] => [f(...tokens, 4, 8), f(...tokens, 2, 8), f(...tokens, 2, 6)];

const CASES: readonly Case[] = [
  { kind: "linear", ins: [f("n", 8), f(6, 8)] },
  { kind: "linear", ins: [f("n", 8), f(6, 8), f(6)] },
  { kind: "linear", ins: [f("b", "n", 8), f(6, 8), f(6)] },
  { kind: "linear", ins: [f("b", "n", 2, 8), f(6, 8)] },
  { kind: "embed", ins: [f(9, 4), i(-1, 8, "b", "n")] },
  { kind: "embed", attrs: { offset: 2 }, ins: [f(9, 4), i(-1, 6, "n")] },
  { kind: "norm", attrs: layer, ins: [f("n", 8), f(8), f(8)] },
  { kind: "norm", attrs: layer, ins: [f("b", "n", 8), f(8)] },
  { kind: "norm", attrs: layer, ins: [f("b", "n", 8)] },
  { kind: "norm", attrs: { ...layer, plusOne: true }, ins: [f("n", 8), f(8), f(8)] },
  { kind: "norm", attrs: layer, ins: [f("n", 2, 8), f(2, 8)] },
  { kind: "norm", attrs: { ...layer, axes: 2 }, ins: [f("n", 2, 8), f(2, 8), f(2, 8)] },
  { kind: "norm", attrs: rms, ins: [f("n", 8), f(8)] },
  { kind: "norm", attrs: rms, ins: [f("n", 8)] },
  { kind: "norm", attrs: { ...rms, plusOne: true }, ins: [f("b", "n", 8), f(8)] },
  ...["relu", "relu2", "gelu", "gelu_tanh", "gelu_quick", "silu", "sigmoid", "tanh"].flatMap((fn) => [
    { kind: "activation", attrs: { fn }, ins: [f("n", 8)] },
    { kind: "glu", attrs: { fn }, ins: [f("b", "n", 8), f("b", "n", 8)] },
  ]),
  { kind: "softcap", attrs: { cap: 3 }, ins: [{ ...positive("n", 8), from: -9, to: 9 }] },
  { kind: "pick", ins: [f("n", 8), given([2], 2, 0)] },
  { kind: "pick", ins: [f("b", "n", 8), given(["m"], 5, 0, 1, 5, 3)] },
  { kind: "rotary", attrs: { dims: 4, pairs: "half", freqs }, ins: [f("b", "n", 2, 4), positions] },
  { kind: "rotary", attrs: { dims: 4, pairs: "interleaved", freqs, factor: 1.5 }, ins: [f("b", "n", 2, 4), positions] },
  { kind: "rotary", attrs: { dims: 4, start: 2, pairs: "half", freqs }, ins: [f("n", 2, 8), i(0, 999, "n")] },
  {
    kind: "rotary",
    attrs: { dims: 4, pairs: "half", freqs, beyond: { above: 20, freqs: [0.5, 0.05] } },
    ins: [f("n", 2, 4), i(0, 40, "n"), given(["n"], 10, 20, 30)],
  },
  {
    kind: "rotary",
    attrs: { dims: 4, pairs: "half", freqs, beyond: { above: 20, ntk: { base: 100, factor: 2 } } },
    ins: [f("n", 2, 4), i(0, 40, "n"), given(["n"], 10, 20, 30)],
  },
  { kind: "attention", attrs: { scale: 0.3 }, ins: [...qkv("m"), packed.positions, packed.slots] },
  { kind: "attention", attrs: { scale: 0.3, window: 2 }, ins: [...qkv("b", "n"), padded.positions] },
  { kind: "attention", attrs: { scale: 0.3, softcap: 2, alibi }, ins: [...qkv("b", "n"), padded.positions] },
  {
    kind: "attention",
    attrs: { scale: 0.3, alibi: { ...alibi, anchor: "key", round: "bf16" } },
    ins: [...qkv("m"), packed.positions, packed.slots],
  },
  {
    kind: "route",
    attrs: { score: "softmax", order: "score-topk", k: 2, renorm: true },
    ins: [f("n", 8)],
  },
  { kind: "route", attrs: { score: "softmax", order: "topk-score", k: 2 }, ins: [f("b", "n", 8)] },
  {
    kind: "route",
    attrs: {
      score: "sigmoid",
      order: "score-topk",
      k: 3,
      renorm: true,
      scale: 2.5,
      groups: { count: 4, keep: 2, by: "top2sum" },
    },
    ins: [f("n", 8), f(8)],
  },
  {
    kind: "experts",
    attrs: { fn: "silu" },
    ins: [f("n", 6), positive("n", 2), i(0, 3, "n", 2), f(4, 5, 6), f(4, 5, 6), f(4, 6, 5)],
  },
  { kind: "round", attrs: { format: "f16" }, ins: [f("n", 8)] },
  ...["mxint8", "mxfp6", "mxfp6_e3m2", "mxfp4"].map((format) => ({
    kind: "round",
    attrs: { format },
    ins: [f("n", 80)],
  })),
  { kind: "round", attrs: { format: "int8" }, ins: [f("n", 2, 24)] },
  { kind: "round", attrs: { format: "int8", group: 32 }, ins: [f("n", 40)] },
];

describe.each([13, 17, 18, 20, 23])("decoder ops at opset %i, on ONNX Runtime", (opset) => {
  test.each(CASES.map((c, index) => [`${c.kind} ${JSON.stringify(c.attrs ?? {})} #${index}`, c] as const))(
    "%s",
    (_, c) => expectSameOnOnnx(c, { opset }),
  );
});

test("what ONNX has whole stays whole, where the opset has it", () => {
  const builder = new GraphBuilder("net", [decoder, primitive]);
  const [x, w, bias] = [[3, 8], [8, 8], [8]].map((shape, n) => builder.input(`in${n}`, "f32", shape));
  const y = builder.op("linear", [x, w, bias]);
  const z = builder.op("norm", [y, bias, bias], layer);
  builder.output(builder.op("norm", [builder.op("activation", [z], { fn: "gelu" }), bias], rms));
  const ops = (opset: number) => toOnnx(builder.finish(), { opset }).nodes.map(({ op }) => op);
  expect(ops(23)).toEqual(["Gemm", "LayerNormalization", "Gelu", "RMSNormalization"]);
  expect(ops(17).slice(0, 3)).toEqual(["Gemm", "LayerNormalization", "Mul"]);
});

test("an op that nothing can say is refused by name", () => {
  const bare = { name: "own", ops: { mystery: { ...decoder.ops.softcap, lower: undefined } } };
  const builder = new GraphBuilder("net", [bare]);
  builder.output(builder.as("head").op("mystery", [builder.input("x", "f32", [3])], { cap: 1 }));
  expect(() => toOnnx(builder.finish(), { dialects: [bare] })).toThrow(/mystery \(head\)/);
});

test("a weight stored [in, out] is written as it lies, unless somebody else needs it turned", () => {
  const stored: WeightExpr = { op: "tensor", name: "w", shape: [8, 4] };
  const build = (shared: boolean) => {
    const builder = new GraphBuilder("net", [decoder, primitive]);
    const w = builder.weight({ op: "permute", of: stored, perm: [1, 0] });
    builder.output(builder.op("linear", [builder.input("x", "f32", [3, 8]), w, null]));
    if (shared) builder.output(builder.op("unary", [w], { fn: "neg" }));
    return toOnnx(builder.finish());
  };
  const { nodes, initializers } = build(false);
  expect(initializers).toEqual([{ name: "w", dtype: "f32", shape: [8, 4], weight: stored }]);
  expect(nodes[0].attrs).toEqual({ transB: { int: 0 } });
  expect(build(true).initializers[0]).toMatchObject({ shape: [4, 8], weight: { op: "permute" } });
});

test("a weight stored narrower than it is computed with is widened by the model", () => {
  const builder = new GraphBuilder("net", [decoder, primitive]);
  const w = builder.weight({ op: "tensor", name: "w", shape: [4, 8] });
  builder.output(builder.op("linear", [builder.input("x", "f32", [3, 8]), w, null]));
  const { nodes, initializers } = toOnnx(builder.finish(), { storage: new Map([["w", { dtype: "bf16" }]]) });
  expect(initializers).toMatchObject([{ name: "w:bf16", dtype: "bf16", shape: [4, 8] }]);
  expect(nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs[0]])).toEqual([
    ["Cast", ["w:bf16"], "w"],
    ["Gemm", ["x", "w"], "linear"],
  ]);
});
