import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import type { Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { decode16 } from "../rounding.ts";
import { maxDifference } from "../testing/random.ts";
import { graphAfter, runToy, weightsFor } from "../testing/run-toy.ts";
import { toyDecoder } from "../testing/toy.ts";

const toy = toyDecoder();
const logits = runToy(toy).logits!;
const dtypeOf = (graph: Graph, id: string) =>
  graph.ops.flatMap((op) => op.outs).find((out) => out.id === id)?.type.dtype;

describe("precision", () => {
  it.each(["f16", "bf16"] as const)("in %s stays near, and names stay", (dtype) => {
    const graph = graphAfter(toy, ["precision", { dtype }]);
    expect(graph.weights.every(({ value }) => value.type.dtype === dtype)).toBe(true);
    expect(graph.weights.map(({ value }) => value.id).sort()).toEqual(toy.weights.map(({ value }) => value.id).sort());
    expect(graph.outputs.map(({ id, type }) => `${id} ${type.dtype}`)).toEqual(["logits f32"]);
    const difference = maxDifference(runToy(graph, weightsFor(toy)).logits!, logits);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(dtype === "f16" ? 0.02 : 0.2);
  });

  it("keeps the angles of positions in f32", () => {
    const graph = graphAfter(toy, "lower", ["precision", { dtype: "f16" }]);
    const sines = graph.ops.filter((op) => op.attrs.fn === "sin" || op.attrs.fn === "cos");
    expect(sines.length).toBe(8);
    for (const op of sines) expect(op.outs[0]!.type.dtype).toBe("f32");
    expect(maxDifference(runToy(graph, weightsFor(toy)).logits!, logits)).toBeLessThan(0.02);
  });

  it("calculates named kinds in f32 between casts", () => {
    const graph = graphAfter(toy, ["precision", { dtype: "f16", keep: ["norm"] }]);
    const norms = graph.ops.filter((op) => op.kind === "norm");
    expect(norms.length).toBe(5);
    for (const op of norms) expect(op.ins[0]!.type.dtype).toBe("f32");
    expect(graph.weights.every(({ value }) => value.type.dtype === "f16")).toBe(true);
  });

  it("lowers caches, and gives outputs narrow when asked", () => {
    const graph = graphAfter(
      toy,
      ["cache-form", { form: "fused" }],
      ["precision", { dtype: "f16", wideOutputs: false }],
    );
    expect(graph.states.map(({ value }) => `${value.id} ${value.type.dtype}`)[0]).toBe("cache.0.keys f16");
    expect(dtypeOf(graph, "logits")).toBe("f16");
  });

  it("widens outputs for whoever reads them from outside, not for what goes on from them inside", () => {
    const plain = graphAfter(toy, "expose-blocks", ["precision", { dtype: "f16", wideOutputs: false }]);
    const wide = graphAfter(toy, "expose-blocks", ["precision", { dtype: "f16" }]);
    expect(wide.outputs.map(({ id }) => id)).toEqual(plain.outputs.map(({ id }) => id));
    expect(wide.outputs.length).toBeGreaterThan(2);
    expect(new Set(wide.outputs.map(({ type }) => type.dtype))).toEqual(new Set(["f32"]));
    const casts = (graph: Graph) => graph.ops.filter(({ kind }) => kind === "cast").length;
    expect(casts(wide) - casts(plain)).toBe(wide.outputs.length);
    const narrow = runToy(plain, weightsFor(toy));
    for (const [id, { data }] of Object.entries(runToy(wide, weightsFor(toy))))
      expect(data).toEqual(decode16("f16", narrow[id]!.data as Uint16Array));
  });

  it("gives a state that is also an output back in its own 16 bits", () => {
    const b = new Builder("running");
    const sum = b.state(
      "sum",
      { dtype: "f32", shape: [2] },
      { role: { kind: "other", name: "sum" }, update: { kind: "replace" } },
    );
    const next = b.as("total").add(sum, b.input("x", "f32", [2]));
    b.setNext(sum, next);
    b.output(next);
    const graph = graphAfter(b.finish(), ["precision", { dtype: "f16" }]);
    expect(graph.outputs.map(({ id, type }) => `${id} ${type.dtype}`)).toEqual(["total f32"]);
    expect(graph.states.map((state) => [state.value.type.dtype, state.next.type.dtype])).toEqual([["f16", "f16"]]);
  });

  it("clips constants, infinities and bounds to the range of f16", () => {
    const b = new Builder("mask");
    const x = b.input("x", "f32", [2]);
    const masked = b.where(b.compare("gt", x, b.constant(0)), x, b.constant(Number.NEGATIVE_INFINITY));
    b.output(b.softmax(b.clip(b.add(masked, b.constant(1e9)), { max: 1e6 })), "y");
    const graph = graphAfter(b.finish(), ["precision", { dtype: "f16" }]);
    const values = graph.constants.map(({ value, data }) => [value.type.dtype, data.data[0]]);
    expect(values).toEqual([
      ["f16", 0],
      ["f16", 0xfbff], // −65504
      ["f16", 0x7bff], // 65504
    ]);
    expect(graph.ops.find((op) => op.kind === "clip")?.attrs.max).toBe(65504);
    const y = interpret(graph, {
      inputs: { x: { dtype: "f32", shape: [2], data: Float32Array.of(-1, -2) } },
      weights: new Map(),
    }).outputs.y!;
    expect([...y.data]).toEqual([0.5, 0.5]); // a fully masked row is a mean, not NaN
  });
});
