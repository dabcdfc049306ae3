import type { Tensor } from "@llm/tensor";
import { memorySource } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import type { Attrs, Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { loadWeights } from "../load-weights.ts";
import { maxDifference, randomFloats, randomOf } from "../testing/random.ts";
import { graphAfter, runToy, weightsFor } from "../testing/run-toy.ts";
import { toyDecoder } from "../testing/toy.ts";
import { printGraph } from "../text/print.ts";
import { corePasses } from "./index.ts";

const toy = toyDecoder();
const logits = runToy(toy).logits!;
const kinds = (graph: Graph): string[] => graph.ops.map((op) => op.kind);

function expectSameLogits(graph: Graph, within = 1e-5): void {
  expect(maxDifference(runToy(graph, weightsFor(toy)).logits!, logits)).toBeLessThan(within);
}

it("every pass has a name in kebab case, a sentence, and a place in the alphabet", () => {
  const names = corePasses.map(({ name }) => name);
  expect(names).toEqual([...names].sort());
  for (const { name, doc } of corePasses) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(doc).toMatch(/^[A-Z].*\.$/);
  }
});

describe("what keeps the numbers", () => {
  const context = { context: 16 };
  it.each<[string, (string | readonly [string, Attrs])[]]>([
    ["pad", ["pad"]],
    ["fused cache", [["cache-form", { form: "fused" }]]],
    ["lowered", ["lower"]],
    [
      "padded, retained, lowered, folded, shared",
      ["pad", ["cache-form", { form: "scatter" }], "lower", "fold-constants", "share"],
    ],
    ["shared across blocks", ["lower", ["share", { across: true }]]],
    ["rotary tables", [["rotary-tables", context]]],
    ["rotary tables, lowered", [["rotary-tables", context], "lower", "eliminate-dead"]],
    ["scaled norms", ["scale-norms"]],
    ["last token by position", ["pad", ["last-token", { at: "position" }]]],
    ["last token by column", ["pad", ["last-token", { at: "end" }]]],
    ["specialised", ["pad", "lower", ["specialise", { sizes: { batch: 2, seq: 3 } }], "fold-constants"]],
  ])("%s", (_, steps) => {
    expectSameLogits(graphAfter(toy, ...steps));
  });
});

it("passes rewrite a graph that was sent as JSON: ids matter, not objects", () => {
  const sent: Graph = JSON.parse(JSON.stringify(toy));
  const steps = [
    "pad",
    ["cache-form", { form: "scatter" }],
    ["precision", { dtype: "bf16" }],
    "lower",
    "share",
    "fold-constants",
  ] as const;
  expect(printGraph(graphAfter(sent, ...steps))).toBe(printGraph(graphAfter(toy, ...steps)));
  expect(graphAfter(sent, "expose-blocks").outputs.map(({ id }) => id)).toEqual([
    "logits",
    "embedding.embed",
    "block_0.binary_2",
    "block_1.binary_2",
  ]);
});

describe("pad", () => {
  it("changes inputs alone, and drops slots when rows are slots", () => {
    const padded = graphAfter(toy, "pad");
    expect(padded.inputs.map(({ id, type }) => `${id} ${type.shape}`)).toEqual([
      "ids batch,seq",
      "positions batch,seq",
      "rows outputs",
    ]);
    expect(kinds(padded)).toEqual(kinds(toy));
    expect(Object.keys(padded.dims).sort()).toEqual(["batch", "context", "outputs", "seq"]);
    const withSlots = graphAfter(toy, ["pad", { slots: "row" }]);
    expect(withSlots.inputs.find(({ id }) => id === "slots")?.type.shape).toEqual(["batch"]);
  });

  it("is for packed graphs", () => {
    expect(() => graphAfter(toy, "pad", "pad")).toThrow("pass pad: toy has no packed tokens to lay out");
  });
});

describe("share", () => {
  it("makes the angles of positions once a block, or once", () => {
    const lowered = graphAfter(toy, "lower");
    const sines = (graph: Graph) => graph.ops.filter((op) => op.attrs.fn === "sin").length;
    expect(sines(lowered)).toBe(4);
    expect(sines(graphAfter(toy, "lower", "share"))).toBe(2);
    expect(sines(graphAfter(toy, "lower", ["share", { across: true }]))).toBe(1);
  });
});

describe("fold-constants", () => {
  it("computes what is known, down to the outputs, and leaves what is too large", () => {
    const b = new Builder("known");
    const x = b.input("x", "f32", [4]);
    const squares = b.mul(b.cast(b.iota(4), "f32"), b.cast(b.iota(4), "f32"));
    b.output(b.add(x, squares), "y");
    b.output(b.unary("neg", squares), "z");
    const graph = b.finish();
    const folded = graphAfter(graph, "fold-constants");
    expect(kinds(folded)).toEqual(["binary", "reshape"]); // an output needs an op that makes it
    const z = interpret(folded, { inputs: { x: randomFloats(randomOf(1), [4]) }, weights: new Map() }).outputs.z!;
    expect([...z.data]).toEqual([-0, -1, -4, -9]);
    expect(graphAfter(graph, ["fold-constants", { most: 3 }]).ops.length).toBe(graph.ops.length);
  });
});

describe("last-token", () => {
  it("takes the rows input away, and needs padded rows", () => {
    const graph = graphAfter(toy, "pad", ["last-token", { at: "end" }]);
    expect(graph.inputs.map(({ id }) => id)).toEqual(["ids", "positions"]);
    expect(graph.outputs[0]!.type.shape).toEqual(["batch", 11]);
    expect(() => graphAfter(toy, ["last-token", { at: "end" }])).toThrow("run pad before it");
  });
});

describe("specialise", () => {
  it("leaves no symbol that was given a size, and minds its range", () => {
    const graph = graphAfter(toy, ["specialise", { sizes: { tokens: 4, outputs: 1 } }]);
    expect(Object.keys(graph.dims)).toEqual(["context"]);
    expect(graph.outputs[0]!.type.shape).toEqual([1, 11]);
    expect(() => graphAfter(toy, ["specialise", { sizes: { tokens: 0 } }])).toThrow("tokens is from 1 to 1024, not 0");
  });
});

describe("split-linears", () => {
  const fused = (seenAs: readonly number[] | undefined, axis: number, sizes: readonly number[]): Graph => {
    const b = new Builder("fused");
    const x = b.input("x", "f32", [3, 6]);
    const y = b.linear(
      x,
      b.weight({ op: "tensor", name: "w", shape: [12, 6] }),
      b.weight({ op: "tensor", name: "b", shape: [12] }),
    );
    const seen = seenAs ? b.reshape(y, seenAs, 1) : y;
    b.split(seen, sizes, axis).forEach((part, i) => {
      b.output(part, `y${i}`);
    });
    return b.finish();
  };
  it.each<[string, Graph]>([
    ["q|k|v", fused(undefined, -1, [8, 2, 2])],
    ["heads of q, k and v", fused([2, 3, 2], -2, [1, 1, 1])],
    ["groups of n + 2 heads", fused([2, 6], -1, [4, 1, 1])],
    ["the outermost axis", fused([3, 4], -2, [1, 1, 1])],
  ])("%s", async (_, graph) => {
    const split = graphAfter(graph, "split-linears");
    expect(kinds(split)).not.toContain("split");
    expect(kinds(split).filter((kind) => kind === "linear").length).toBe(3);
    const random = randomOf(3);
    const source = memorySource({ w: randomFloats(random, [12, 6]), b: randomFloats(random, [12]) });
    const inputs = { x: randomFloats(random, [3, 6]) };
    const run = async (g: Graph) => interpret(g, { inputs, weights: await loadWeights(g, source) }).outputs;
    const [before, now] = [await run(graph), await run(split)];
    for (const name of Object.keys(before)) expect(maxDifference(before[name]!, now[name]!), name).toBe(0);
  });

  it("leaves a linear whose result is used whole", () => {
    const b = new Builder("both");
    const y = b.linear(b.input("x", "f32", [3, 6]), b.weight({ op: "tensor", name: "w", shape: [12, 6] }));
    b.split(y, [6, 6]).forEach((part) => {
      b.output(part);
    });
    b.output(y);
    expect(kinds(graphAfter(b.finish(), "split-linears"))).toEqual(["linear", "split"]);
  });
});

describe("quantise", () => {
  const encoded = (graph: Graph): string[] =>
    graph.weights.filter(({ expr }) => expr.op === "encode").map(({ value }) => value.id);
  it("marks linears' weights, and tables only on request", () => {
    const plain = encoded(graphAfter(toy, ["quantise", { format: "int4", group: 64, symmetric: true }]));
    expect(plain.length).toBe(2 * 7 + 1);
    expect(plain).not.toContain("embed");
    expect(encoded(graphAfter(toy, ["quantise", { format: "int8", embed: true }]))).toContain("embed");
    expect(encoded(graphAfter(toy, ["quantise", { format: "int8", except: ["lm_head"] }]))).not.toContain("head");
  });

  it("goes by rules, the first that matches", () => {
    const rules = [{ match: "head", format: "int8" }, { match: "*.down" }];
    const graph = graphAfter(toy, ["quantise", { rules, format: "int4" }]);
    const formats = Object.fromEntries(
      graph.weights.map(({ value, expr }) => [value.id, expr.op === "encode" ? expr.format.format : undefined]),
    );
    expect(formats).toMatchObject({ head: "int8", "0.down": undefined, "0.up": "int4", "1.q": "int4" });
    expect(() => graphAfter(toy, ["quantise", { format: "int5" }])).toThrow(
      'pass quantise: attribute format is "int5", not a number format',
    );
  });

  it("says the format in the leaf and changes nothing else", () => {
    const graph = graphAfter(toy, ["quantise", { format: "int4", group: 64 }]);
    expect(graph.ops).toEqual(toy.ops);
    expect(graph.weights.find(({ value }) => value.id === "head")?.expr).toEqual({
      op: "encode",
      of: { op: "tensor", name: "head", shape: [11, 8] },
      format: { format: "int4", group: 64 },
    });
  });

  it("leaves a table that a tied head shares as it is, unless tables are quantised too", () => {
    const b = new Builder("tied");
    const table = b.weight({ op: "tensor", name: "table", shape: [5, 4] });
    b.output(b.linear(b.embed(table, b.input("ids", "i32", [2])), table), "logits");
    expect(encoded(graphAfter(b.finish(), ["quantise", { format: "int8" }]))).toEqual([]);
    expect(encoded(graphAfter(b.finish(), ["quantise", { format: "int8", embed: true }]))).toEqual(["table"]);
  });
});

describe("a cache in a number format", () => {
  it.each(["fused", "scatter", "none"])("rounds what is stored, in the form %s alike", (form) => {
    const rounded = graphAfter(toy, "pad", ["cache-form", { form, format: "mxint8" }]);
    const difference = maxDifference(runToy(rounded, weightsFor(toy)).logits!, logits);
    expect(difference).toBeGreaterThan(1e-5);
    expect(difference).toBeLessThan(0.1);
    const plain = graphAfter(toy, "pad", ["cache-form", { form: "none", format: "mxint8" }]);
    expect(
      maxDifference(runToy(rounded, weightsFor(toy)).logits!, runToy(plain, weightsFor(toy)).logits!),
    ).toBeLessThan(1e-5);
  });
});

describe("gelu-form", () => {
  it("writes another formula, which is nearly the same", () => {
    const b = new Builder("gelu");
    b.output(b.activation(b.input("x", "f32", [50]), "gelu"), "y");
    const graph = b.finish();
    const x: Tensor = { dtype: "f32", shape: [50], data: Float32Array.from({ length: 50 }, (_, i) => (i - 25) / 5) };
    const run = (g: Graph) => interpret(g, { inputs: { x }, weights: new Map() }).outputs.y!;
    const difference = maxDifference(run(graph), run(graphAfter(graph, ["gelu-form", { to: "gelu_tanh" }])));
    expect(difference).toBeGreaterThan(1e-5);
    expect(difference).toBeLessThan(1e-3);
  });
});

describe("scale-norms", () => {
  it("keeps squares in range where a plain norm in f16 overflows", () => {
    const b = new Builder("large");
    b.output(b.norm(b.input("x", "f32", [1, 4]), { kind: "rms", eps: 1e-6 }), "y");
    const x: Tensor = { dtype: "f32", shape: [1, 4], data: Float32Array.of(600, -300, 0, 300) };
    const half = ["lower", ["precision", { dtype: "f16" }]] as const;
    const run = (g: Graph) => [
      ...(interpret(g, { inputs: { x }, weights: new Map() }).outputs.y!.data as Float32Array),
    ];
    const wanted = run(b.finish());
    expect(run(graphAfter(b.finish(), ...half))).toEqual([0, -0, 0, 0]);
    const scaled = run(graphAfter(b.finish(), "scale-norms", ...half));
    scaled.forEach((y, i) => {
      expect(y).toBeCloseTo(wanted[i]!, 2);
    });
  });
});
