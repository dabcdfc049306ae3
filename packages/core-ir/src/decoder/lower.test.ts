import type { Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import type { Attrs, Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { intTensor as i, maxDifference, randomFloats, randomOf } from "../testing/random.ts";
import { ACTIVATION_NAMES } from "./functions.ts";
import { decoder } from "./index.ts";

const random = randomOf(7);
const f = (...shape: number[]): Tensor => randomFloats(random, shape);

interface Case {
  readonly kind: string;
  readonly ins: readonly (Tensor | null)[];
  readonly attrs?: Attrs;
}

const positions = i([5], [3, 4, -1, 0, 1]);
const padded = i([2, 3], [3, 4, -1, 0, 1, 2]);
const slots = i([5], [2, 2, 0, 1, 1]);
const freqs = [1, 0.5, 0.25];
const q = () => f(5, 4, 6);
const k = () => f(5, 2, 6);
const v = () => f(5, 2, 3);
const alibi = { slopes: [0.5, 0.25, 0.125, 0.0625], anchor: "relative" };
const nans = (...shape: number[]): Tensor => ({ ...f(...shape), data: f(...shape).data.fill(Number.NaN as never) });
/** A cache whose slots 1 and 2 hold positions 0 to 2; the rest is NaN. */
const held = (...shape: [number, number, number, number]): Tensor => {
  const cache = nans(...shape);
  const row = shape[2] * shape[3];
  for (const slot of [1, 2]) cache.data.set(f(3, row).data as never, slot * shape[1] * row);
  return cache;
};
const latent = () => [f(5, 4, 3), f(5, 4, 2), f(5, 6), f(5, 2), f(4, 3, 6), f(4, 5, 6)];

const CASES: readonly Case[] = [
  { kind: "embed", ins: [f(9, 4), i([3], [-1, 0, 8])] },
  { kind: "embed", ins: [f(9, 4), i([2, 2], [-1, 0, 3, 6])], attrs: { offset: 2 } },
  { kind: "linear", ins: [f(3, 4), f(6, 4)] },
  { kind: "linear", ins: [f(2, 3, 4), f(6, 4), f(6)] },
  ...["rms", "layer"].flatMap((kind) => [
    { kind: "norm", ins: [f(3, 8)], attrs: { kind, eps: 1e-5 } },
    { kind: "norm", ins: [f(3, 8), f(8), f(8)], attrs: { kind, eps: 1e-2 } },
    { kind: "norm", ins: [f(2, 3, 4, 8), f(4, 8)], attrs: { kind, eps: 1e-5, plusOne: true } },
    { kind: "norm", ins: [f(3, 2, 8), f(2, 8)], attrs: { kind, eps: 1e-5, axes: 2 } },
  ]),
  ...["half", "interleaved"].flatMap((pairs) => [
    { kind: "rotary", ins: [f(5, 2, 6), positions], attrs: { dims: 6, pairs, freqs } },
    { kind: "rotary", ins: [f(2, 3, 2, 9), padded], attrs: { dims: 6, start: 2, pairs, freqs, factor: 1.3 } },
    {
      kind: "rotary",
      ins: [f(5, 2, 8), positions, i([5], [9, 9, 1, 4, 20])],
      attrs: { dims: 6, pairs, freqs, beyond: { above: 8, freqs: [0.5, 0.1, 0.01] } },
    },
    {
      kind: "rotary",
      ins: [f(5, 2, 6), positions, i([5], [9, 9, 1, 4, 20])],
      attrs: {
        dims: 6,
        pairs,
        freqs: [1, 1e4 ** (-1 / 3), 1e4 ** (-2 / 3)],
        beyond: { above: 8, ntk: { base: 1e4, factor: 4 } },
      },
    },
  ]),
  ...[{}, { window: 2 }, { softcap: 0.7 }, { alibi }, { alibi: { ...alibi, anchor: "key", round: "bf16" } }].flatMap(
    (attrs) => [
      { kind: "attention", ins: [q(), k(), v(), positions], attrs: { scale: 0.4, ...attrs } },
      { kind: "attention", ins: [q(), k(), v(), positions, slots], attrs: { scale: 0.4, ...attrs } },
      {
        kind: "attention",
        ins: [q(), k(), v(), positions, slots, held(3, 7, 2, 6), held(3, 7, 2, 3)],
        attrs: { scale: 0.4, ...attrs },
      },
    ],
  ),
  { kind: "attention", ins: [f(2, 3, 4, 6), f(2, 3, 1, 6), f(2, 3, 1, 6), padded], attrs: { scale: 0.4 } },
  {
    kind: "attention",
    ins: [f(2, 3, 4, 6), f(2, 3, 4, 6), f(2, 3, 4, 6), padded, i([2], [1, 0])],
    attrs: { scale: 1 },
  },
  {
    kind: "attention",
    ins: [f(2, 3, 4, 6), f(2, 3, 1, 6), f(2, 3, 1, 6), padded, i([2], [2, 1]), held(3, 7, 1, 6), held(3, 7, 1, 6)],
    attrs: { scale: 0.4 },
  },
  {
    kind: "attention",
    ins: [
      f(2, 3, 4, 6),
      f(2, 3, 2, 6),
      f(2, 3, 2, 3),
      i([2, 3], [0, 1, 2, 0, -1, -1]),
      null,
      nans(2, 2, 7, 6),
      nans(2, 2, 7, 3),
    ],
    attrs: { scale: 0.4, layout: "heads" },
  },
  { kind: "latent_attention", ins: [...latent(), positions, slots], attrs: { scale: 0.4 } },
  {
    kind: "latent_attention",
    ins: [...latent(), i([5], [0, 1, -1, 0, 1]), slots, nans(3, 4, 8)],
    attrs: { scale: 0.4 },
  },
  ...ACTIVATION_NAMES.flatMap((fn) => [
    { kind: "activation", ins: [f(3, 8)], attrs: { fn } },
    { kind: "glu", ins: [f(3, 8), f(3, 8)], attrs: { fn } },
  ]),
  { kind: "route", ins: [f(5, 6)], attrs: { score: "softmax", order: "score-topk", k: 2, renorm: true } },
  { kind: "route", ins: [f(5, 6)], attrs: { score: "softmax", order: "topk-score", k: 2 } },
  {
    kind: "route",
    ins: [f(2, 3, 6), f(6)],
    attrs: {
      score: "sigmoid",
      order: "score-topk",
      k: 2,
      renorm: true,
      scale: 2.5,
      groups: { count: 3, keep: 2, by: "top2sum" },
    },
  },
  {
    kind: "route",
    ins: [f(5, 6)],
    attrs: { score: "softmax", order: "score-topk", k: 3, groups: { count: 2, keep: 1, by: "max" } },
  },
  {
    kind: "experts",
    ins: [f(4, 3), f(4, 2), i([4, 2], [0, 4, 1, 1, 2, 0, 3, 4]), f(5, 6, 3), f(5, 6, 3), f(5, 3, 6)],
    attrs: { fn: "silu" },
  },
  {
    kind: "experts",
    ins: [f(2, 2, 3), f(2, 2, 1), i([2, 2, 1], [0, 4, 1, 2]), null, f(5, 6, 3), f(5, 3, 6)],
    attrs: { fn: "relu" },
  },
  { kind: "softcap", ins: [f(3, 4)], attrs: { cap: 0.5 } },
  { kind: "pick", ins: [f(5, 3), i([2], [4, 0])] },
  { kind: "pick", ins: [f(2, 5, 3), i([3], [9, 0, 4])] },
  { kind: "round", ins: [f(3, 4)], attrs: { format: "bf16" } },
  { kind: "round", ins: [f(3, 4)], attrs: { format: "f16" } },
];

/** A graph of one op, every operand an input, the leading size symbolic. */
function graphOf({ kind, ins, attrs }: Case): Graph {
  const b = new Builder("case");
  const values = ins.map((t, n) => t && b.input(`in${n}`, t.dtype, t.shape));
  for (const [n, out] of b.ops(kind, values, attrs).entries()) b.output(out, `out${n}`);
  return b.finish();
}

const tokenRows = (c: Case) =>
  c.kind === "attention" ? (c.ins[3] as Tensor) : c.kind === "latent_attention" ? (c.ins[6] as Tensor) : undefined;

describe("lowered to primitives, an op does what its own loops do", () => {
  it.each(CASES.map((c, n) => [`${c.kind} ${JSON.stringify(c.attrs ?? {})} #${n}`, c] as const))("%s", (_, c) => {
    const graph = graphOf(c);
    const steps = [{ pass: "lower" }];
    const lowered = runPipeline(programOf(graph), steps, { passes: corePasses }).nets[0]!.graph;
    expect(lowered.dialects).toEqual(["primitive"]);
    const inputs = Object.fromEntries(c.ins.flatMap((t, n) => (t ? [[`in${n}`, copy(t)]] : [])));
    const low = interpret(lowered, { inputs, weights: new Map() }).outputs;
    const own = interpret(graph, { inputs, weights: new Map() }).outputs;
    const absent = tokenRows(c);
    for (const name of Object.keys(own)) {
      const [a, b] = [own[name]!, low[name]!];
      if (absent && name === "out0") clearAbsent(a, b, absent);
      expect(maxDifference(a, b), name).toBeLessThan(3e-6);
    }
  });

  it("covers every op", () => {
    expect(new Set(CASES.map((c) => c.kind))).toEqual(new Set(Object.keys(decoder.ops)));
  });
});

const copy = (t: Tensor): Tensor => ({ ...t, data: t.data.slice() });

/** What comes out for a token that doesn't exist means nothing, but must be a number. */
function clearAbsent(a: Tensor, b: Tensor, at: Tensor): void {
  const width = a.data.length / at.data.length;
  at.data.forEach((position: number | bigint, t: number) => {
    if (Number(position) >= 0) return;
    const row = (x: Tensor) => (x.data as Float32Array).subarray(t * width, (t + 1) * width);
    expect(row(b).every(Number.isFinite)).toBe(true);
    row(a).fill(0);
    row(b).fill(0);
  });
}
