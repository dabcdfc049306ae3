import { describe, expect, it } from "vitest";
import { Builder } from "./builder.ts";
import { GraphError } from "./error.ts";
import type { Graph, Op, Program, Value } from "./graph.ts";
import { programOf } from "./pass.ts";
import { checkProgram, checkSpec } from "./spec.ts";
import { after } from "./testing/run-toy.ts";
import { toyDecoder } from "./testing/toy.ts";

const toy = toyDecoder();
const op = (at: number, change: Partial<Op>): Graph => ({
  ...toy,
  ops: toy.ops.with(at, { ...toy.ops[at]!, ...change }),
});
const value = (id: string, ...shape: (number | string)[]): Value => ({ id, type: { dtype: "f32", shape } });
const first = toy.ops[0]!;
const weight = (change: Partial<Graph["weights"][0]>): Graph => ({
  ...toy,
  weights: toy.weights.with(0, { ...toy.weights[0]!, ...change }),
});
const cached = after(toy, ["cache-form", { form: "fused" }]).nets[0]!.graph;
const state = (change: Partial<Graph["states"][0]>): Graph => ({
  ...cached,
  states: cached.states.with(0, { ...cached.states[0]!, ...change }),
});

describe("the spec", () => {
  it("holds for what builders and passes make", () => {
    expect(() => checkSpec(toy)).not.toThrow();
    expect(() => checkSpec(cached)).not.toThrow();
  });

  it.each<[string, Graph, string]>([
    [
      "a dialect nobody knows",
      { ...toy, dialects: ["decoder", "toys"] },
      "dialect toys of graph toy is not known here",
    ],
    [
      "an op of no legal dialect",
      { ...toy, dialects: ["decoder"] },
      "reshape block_0.reshape: reshape is no op of decoder",
    ],
    ["an op in two dialects", { ...toy, dialects: ["decoder", "decoder"] }, "op embed is in two dialects"],
    [
      "a value used before it is made",
      { ...toy, ops: toy.ops.toReversed() },
      "uses lm_head.norm, which nothing before it makes",
    ],
    [
      "a value made twice",
      { ...toy, ops: toy.ops.toSpliced(1, 0, first) },
      "embedding.embed is made twice, the second time by embed embedding.embed",
    ],
    ["an id that isn't one", weight({ value: value("a b", 11, 8) }), 'a weight has an id that isn\'t one: "a b"'],
    [
      "a wrong type",
      op(1, { outs: [value("block_0.norm", 3)] }),
      "norm block_0.norm: block_0.norm is f32[tokens, 8], not f32[3]",
    ],
    [
      "an operand taken for another type",
      op(1, { ins: [value("embedding.embed", "tokens", 9), ...toy.ops[1]!.ins.slice(1)] }),
      "norm block_0.norm takes embedding.embed for f32[tokens, 9]; it is f32[tokens, 8]",
    ],
    ["a missing operand", op(0, { ins: [first.ins[0]!] }), "embed embedding.embed: operand ids is missing"],
    [
      "too many operands",
      op(0, { ins: [...first.ins, first.ins[1]!] }),
      "embed embedding.embed: 3 operands for table, ids",
    ],
    ["a missing attribute", op(1, { attrs: { kind: "rms" } }), "norm block_0.norm: attribute eps is missing (number)"],
    ["a wrong attribute", op(1, { attrs: { kind: "rms", eps: "1" } }), 'attribute eps is "1", not number'],
    ["an unknown attribute", op(0, { attrs: { ofset: 1 } }), "unknown attribute ofset; there is offset"],
    ["an op nobody uses", { ...toy, outputs: [first.outs[0]!] }, "linear logits: nothing uses what it makes"],
    ["an input nobody uses", { ...toy, inputs: [...toy.inputs, value("extra")] }, "input extra is not used"],
    [
      "a weight nobody uses",
      {
        ...toy,
        weights: [...toy.weights, { value: value("extra", 1), expr: { op: "tensor", name: "extra", shape: [1] } }],
      },
      "weight extra is not used",
    ],
    [
      "a weight of another shape than its expression",
      weight({ expr: { op: "tensor", name: "embed", shape: [11, 9] } }),
      "weight embed is f32[11, 8], its expression makes [11, 9]",
    ],
    ["an output twice", { ...toy, outputs: [...toy.outputs, ...toy.outputs] }, "logits is an output twice"],
    [
      "an output nothing makes",
      { ...toy, outputs: [value("nowhere")] },
      "an output uses nowhere, which nothing before it makes",
    ],
    ["a symbol without range", { ...toy, dims: {} }, "the symbol tokens has no range in dims"],
    [
      "a range that makes no sense",
      { ...toy, dims: { ...toy.dims, tokens: { min: 2, max: 1 } } },
      "the range of tokens, 2 to 1, makes no sense",
    ],
    [
      "blocks that overlap",
      { ...toy, blocks: toy.blocks.with(1, { name: "block_0", from: 0, to: 9 }) },
      "block block_0 is ops 0 to 9; it must begin at 1",
    ],
    [
      "two blocks of one name",
      { ...toy, blocks: toy.blocks.with(1, { ...toy.blocks[1]!, name: "embedding" }) },
      "two blocks are called embedding",
    ],
    [
      "a state that becomes something else",
      state({ next: cached.ops[0]!.outs[0]! }),
      "state cache.0.keys is f32[slots, context, 1, 4] and would become f32[tokens, 8]",
    ],
    [
      "a state appended to along no axis",
      state({ update: { kind: "append", axis: 4 } }),
      "state cache.0.keys has no axis 4 to append to",
    ],
    [
      "a state appended to with what doesn't fit",
      state({ next: cached.ops[0]!.outs[0]!, update: { kind: "append", axis: 0 } }),
      "f32[tokens, 8] can't be appended along axis 0",
    ],
  ])("refuses %s", (_, graph, message) => {
    expect(() => checkSpec(graph)).toThrow(message);
  });

  it("is an error of this package with a code", () => {
    try {
      checkSpec({ ...toy, dims: {} });
      expect.unreachable();
    } catch (error) {
      expect(GraphError.isInstance(error) && error.code).toBe("spec");
    }
  });

  it("takes a graph that went through JSON: ids matter, not objects", () => {
    const plain: Graph = JSON.parse(JSON.stringify({ ...toy, constants: [] }));
    expect(() => checkSpec(plain)).not.toThrow();
  });
});

describe("the spec of programs", () => {
  const split = after(toy, "split-blocks");
  const move = (change: Partial<Program["moves"][0]>): Program => ({
    ...split,
    moves: split.moves.with(0, { ...split.moves[0]!, ...change }),
  });
  it.each<[string, Program, string]>([
    ["two nets of one name", { nets: [...split.nets, split.nets[0]!], moves: [] }, "two nets are called embedding"],
    [
      "a move from nowhere",
      move({ from: { net: "embedding", output: "nothing" } }),
      "names an output that isn't there",
    ],
    ["a move to nowhere", move({ to: { net: "block_9", input: "x" } }), "names an input that isn't there"],
    [
      "a move between types",
      move({ to: { net: "block_0", input: "positions" } }),
      "joins f32[tokens, 8] to i32[tokens]",
    ],
    [
      "a shape without a size",
      { nets: [{ ...programOf(toy).nets[0]!, shapes: [{ tokens: 1, context: 8 }] }], moves: [] },
      "a shape of net decoder gives no size for outputs",
    ],
  ])("refuses %s", (_, program, message) => {
    expect(() => checkProgram(program)).toThrow(message);
  });
});

describe("speed", () => {
  it("builds and checks a model of 40 large blocks in well under 300 ms, in linear time", () => {
    const time = (blocks: number) => {
      const start = process.threadCpuUsage(); // what others do meanwhile isn't counted
      checkSpec(toyDecoder({ blocks, width: 6144, heads: 48, groups: 1, inner: 24576, vocab: 49152 }));
      return process.threadCpuUsage(start).user / 1000;
    };
    time(40);
    expect(Math.min(...Array.from({ length: 5 }, () => time(40)))).toBeLessThan(300);
  });
});

describe("a builder", () => {
  it("says where a mistake is made", () => {
    const b = new Builder("wrong");
    const x = b.input("x", "f32", ["n", 4]);
    const w = b.weight({ op: "tensor", name: "w", shape: [3, 5] });
    expect(() => b.block("block_7", () => b.as("q").linear(x, w))).toThrow(
      "linear block_7.q: x is f32[n, 4], w is f32[3, 5]: widths differ",
    );
    expect(() => b.op("lineer", [x, w])).toThrow("lineer: no op is called lineer");
  });

  it("gives readable ids, each once, and one value to equal leaves", () => {
    const b = new Builder("ids");
    const x = b.input("x", "f32", [4]);
    const ids = b.scope("layer", () => [b.add(x, x), b.add(x, x), b.as("sum").add(x, x)].map(({ id }) => id));
    expect(ids).toEqual(["layer.binary", "layer.binary_2", "layer.sum"]);
    const w = () => b.weight({ op: "tensor", name: "w", shape: [4] });
    expect(w()).toBe(w());
    expect(b.constant(2)).toBe(b.constant(2));
    expect(b.constant(2)).not.toBe(b.constant(2, "i32"));
    expect(b.constant(0)).not.toBe(b.constant(-0));
  });

  it("gives an output its name, once", () => {
    const b = new Builder("names");
    const x = b.input("x", "f32", [4]);
    b.output(b.unary("neg", x), "y");
    expect(() => b.output(b.unary("abs", x), "y")).toThrow("two values would be called y");
    expect(() => b.output(x, "z")).toThrow("x was not made here and can't be renamed z");
    expect(b.finish().outputs.map(({ id }) => id)).toEqual(["y"]);
  });
});
