import { Builder, corePasses, type Graph, programOf, runPipeline, type Value } from "@llm/core-ir";
import { shapeOf } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { ort } from "../ort/dialect.ts";
import { cpuPipeline } from "../pipeline.ts";
import { goldenGraph } from "../testing/open-golden.ts";
import { lowerToOrt } from "./lower-to-ort.ts";
import { cpuPasses } from "./passes.ts";

function lower(graph: Graph, format = "fp32"): Graph {
  return runPipeline(programOf(graph), cpuPipeline({ format }), {
    passes: [...corePasses, ...cpuPasses],
    dialects: [ort],
  }).nets[0]!.graph;
}

function counts(graph: Graph): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { kind } of graph.ops) found[kind] = (found[kind] ?? 0) + 1;
  return found;
}

/** A small decoder: what `make` makes of attention's result goes to the head. */
function decoder(make: (b: Builder, x: Value) => Value): Graph {
  const b = new Builder("test");
  const tokens = b.dim("tokens", { min: 1, max: 64 });
  b.dim("context", { min: 1, max: 64 });
  const [ids, positions, slots] = ["ids", "positions", "slots"].map((name) => b.input(name, "i32", [tokens]));
  const table = b.weight({ op: "tensor", name: "table", shape: [10, 16] });
  const q = b.reshape(b.embed(table, ids!), [2, 8], 1);
  const attended = b.attention({ q, k: q, v: q, positions: positions!, slots: slots! }, { scale: 1 });
  const x = b.reshape(attended, [16], 2);
  const rows = b.input("rows", "i32", [b.dim("outputs", { min: 0, max: 64 })]);
  b.output(b.linear(b.pick(make(b, x), rows), table), "logits");
  return b.finish();
}

describe("published models", () => {
  test("GPT-style blocks are a handful of operators each", () => {
    const { blocks } = goldenGraph("gpt2");
    const layers = blocks.filter(({ name }) => name.startsWith("block_")).length;
    const found = counts(lower(goldenGraph("gpt2")));
    expect(found).toMatchObject({
      GroupQueryAttention: layers,
      SkipLayerNormalization: 2 * layers, // each norm but the last, which only sees rows that are asked for
      FastGelu: layers,
      FusedMatMul: 4 * layers + 1,
      norm: 2, // that of the rows whose logits are asked for, and of those that are told themselves
    });
    expect(found.activation).toBeUndefined();
  });

  test("Llama's share one table of rotations", () => {
    const found = counts(lower(goldenGraph("llama_gqa_llama3")));
    expect(found).toMatchObject({ unary: 2, iota: 1, RotaryEmbedding: 2 * found.GroupQueryAttention! });
    expect(found.norm).toBeUndefined();
  });
});

test("each expert's matrices are weights of their own, and what chooses them is not packed", () => {
  const graph = goldenGraph("mixtral");
  const layers = graph.ops.filter(({ kind }) => kind === "experts").length;
  for (const format of ["fp32", "int4"]) {
    const lowered = lower(graph, format);
    const grouped = lowered.ops.filter(({ kind }) => kind === "GroupedLinear");
    expect(grouped).toHaveLength(3 * layers);
    for (const { ins } of grouped) expect(ins).toHaveLength(2 + 4); // rows, their counts, and four experts
    expect(counts(lowered).FusedMatMul).toBe(format === "fp32" ? 5 * layers + 1 : layers);
    expect(lowered.weights.filter(({ expr }) => shapeOf(expr).length > 2)).toEqual([]);
  }
});

/** Sums that tell attention how long the sequences are. */
const LENGTHS = 1;

describe("a bias", () => {
  const bias = (b: Builder) => b.weight({ op: "tensor", name: "bias", shape: [16] });
  const weight = (b: Builder) => b.weight({ op: "tensor", name: "w", shape: [16, 16] });

  test("is added by the activation after its linear", () => {
    const found = counts(lower(decoder((b, x) => b.activation(b.linear(x, weight(b), bias(b)), "gelu"))));
    expect(found).toMatchObject({ BiasGelu: 1, binary: LENGTHS });
  });

  test("is added at once where something else sees the sum too", () => {
    const graph = decoder((b, x) => {
      const y = b.linear(x, weight(b), bias(b));
      return b.mul(b.activation(y, "gelu"), y);
    });
    const found = counts(lower(graph));
    expect(found).toMatchObject({ activation: 1, binary: LENGTHS + 2 });
    expect(found.BiasGelu).toBeUndefined();
  });

  test("of two that meet in one sum, the fused norm takes one", () => {
    const graph = decoder((b, x) => {
      const norm = b.weight({ op: "tensor", name: "norm", shape: [16] });
      const other = b.weight({ op: "tensor", name: "other", shape: [16, 16] });
      const [first, second] = ["first", "second"].map((name) => b.weight({ op: "tensor", name, shape: [16] }));
      const sum = b.add(b.linear(x, weight(b), first), b.linear(x, other, second));
      return b.norm(sum, { kind: "rms", eps: 1e-5 }, norm);
    });
    expect(counts(lower(graph))).toMatchObject({ SkipSimplifiedLayerNormalization: 1, binary: LENGTHS + 1 });
  });
});

test("weights that lie transposed are multiplied as they lie", () => {
  const stored = { op: "tensor", name: "w", shape: [16, 16] } as const;
  const graph = lower(decoder((b, x) => b.linear(x, b.weight({ op: "permute", of: stored, perm: [1, 0] }))));
  expect(graph.weights.map(({ expr }) => expr)).toContainEqual(stored);
  expect(graph.ops.find(({ kind }) => kind === "FusedMatMul")?.attrs).toEqual({ transB: false });
});

test("without rows that are their own slots it says what has to come first", () => {
  const graph = decoder((_, x) => x);
  expect(() =>
    runPipeline(programOf(graph), [{ pass: "lower-to-ort" }], { passes: [lowerToOrt], dialects: [ort] }),
  ).toThrow(/pad comes first/);
});
