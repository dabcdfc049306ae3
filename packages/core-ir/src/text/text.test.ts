import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import { programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { checkSpec } from "../spec.ts";
import { toyDecoder } from "../testing/toy.ts";
import { diffGraphs, printDiff } from "./diff.ts";
import { parseGraph } from "./parse.ts";
import { printGraph } from "./print.ts";

const pipelines = {
  "as built": [],
  "with a fused cache": [{ pass: "cache-form", params: { form: "fused" } }],
  "lowered, with a retained cache": [
    { pass: "pad" },
    { pass: "cache-form", params: { form: "scatter" } },
    { pass: "lower" },
  ],
};

const built = (steps: { pass: string; params?: { form: string } }[]) =>
  runPipeline(programOf(toyDecoder()), steps, { passes: corePasses }).nets[0]!.graph;

describe("the text form", () => {
  it.each(Object.entries(pipelines))("of a graph %s reads back as the same graph", (_, steps) => {
    const graph = built(steps);
    const text = printGraph(graph);
    const back = parseGraph(text);
    expect(back).toEqual(graph);
    expect(printGraph(back)).toBe(text);
    checkSpec(back);
  });

  it("is one line for each thing", () => {
    const lines = printGraph(toyDecoder()).split("\n");
    expect(lines).toContain("dim tokens 1..1024");
    expect(lines).toContain("input positions: i32[tokens]");
    expect(lines).toContain('weight embed: f32[11, 8] = {"op":"tensor","name":"embed","shape":[11,8]}');
    expect(lines).toContain(
      '  block_0.norm: f32[tokens, 8] = norm(embedding.embed, 0.norm1, _) {"kind":"rms","eps":0.000001}',
    );
    expect(lines).toContain("  logits: f32[outputs, 11] = linear(lm_head.norm, head, _)");
    expect(lines.at(-2)).toBe("output logits");
  });

  it("carries constants that JSON has no numbers for, and long ones", () => {
    const b = new Builder("constants");
    const x = b.input("x", "f32", []);
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY, -0, 1 / 3]) b.output(b.add(x, b.constant(value)));
    const long = b.constant({ dtype: "f32", shape: [100], data: Float32Array.from({ length: 100 }, (_, i) => i / 7) });
    b.output(b.add(x, long));
    const graph = b.finish();
    const back = parseGraph(printGraph(graph));
    expect(back.constants.map(({ data }) => [...(data.data as Float32Array)])).toEqual(
      graph.constants.map(({ data }) => [...(data.data as Float32Array)]),
    );
  });

  it.each([
    ["what", 'line 1: "what" is not an op'],
    ["graph x", "line 1: "],
    ["input x: f33[2]", "line 1: f33 is not a dtype"],
    ["input x: f32[2 y]", 'line 1: "2 y" is not a dimension'],
    ["y: f32[] = unary(x)", "line 1: nothing before makes x"],
    ["output x", "line 1: nothing before makes x"],
    ["block a {", "block a is never closed"],
    ["}", "line 1: there is no block to close"],
    ["constant c: f32[2] = [1]", "line 1: a constant of 2 elements has 1"],
    ["dim a 1-2", 'line 1: "a 1-2" is not a dimension\'s range'],
  ])("says what is wrong with %j", (text, message) => {
    expect(() => parseGraph(text)).toThrow(message);
  });
});

describe("the difference of two graphs", () => {
  it("is what was added, removed and changed", () => {
    const [before, after] = [toyDecoder(), built(pipelines["with a fused cache"])];
    const changes = diffGraphs(before, after);
    const of = (kind: string) => changes.filter((change) => change.kind === kind).map(({ id }) => id);
    expect(of("removed")).toEqual([]);
    expect(of("changed")).toEqual(["block_0.attention", "block_1.attention"]);
    expect(of("added")).toEqual(["dim slots", "cache.0.keys", "cache.0.values", "cache.1.keys", "cache.1.values"]);
    expect(printDiff(changes)).toContain("+ dim slots 1..2147483647\n");
    expect(diffGraphs(before, toyDecoder())).toEqual([]);
  });
});
