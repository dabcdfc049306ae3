import { codecOf, type Tensor } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { Builder } from "../builder.ts";
import { interpret } from "../interpret.ts";
import { programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { randomOf } from "../testing/random.ts";

function lowered(format: string, group: number | undefined, columns: number) {
  const b = new Builder("round");
  b.dim("rows", { min: 1, max: 4096 });
  b.output(b.round(b.input("x", "f32", ["rows", columns]), format, group === undefined ? {} : { group }), "out");
  return runPipeline(programOf(b.finish()), [{ pass: "lower" }], { passes: corePasses }).nets[0]!.graph;
}

function run(graph: ReturnType<typeof lowered>, x: Tensor): Float32Array {
  return interpret(graph, { inputs: { x }, weights: new Map() }).outputs.out!.data as Float32Array;
}

/** Rows of every order of magnitude that a cache might hold, with ties, zeros and powers of two among them. */
function adversarial(rows: number, columns: number): Tensor {
  const random = randomOf(11);
  const data = Float32Array.from({ length: rows * columns }, (_, i) => {
    const size = 2 ** Math.floor(40 * random() - 20);
    const kind = i % 7;
    if (kind === 0) return 0;
    if (kind === 1) return size; // powers of two are where logarithms miss
    if (kind === 2) return (Math.round(64 * random()) + 0.5) / 64; // ties
    return (2 * random() - 1) * (kind < 5 ? size : 1);
  });
  return { dtype: "f32", shape: [rows, columns], data };
}

describe.each([
  ["mxint8", undefined, 64],
  ["mxint8", undefined, 40],
  ["mxfp6", undefined, 96],
  ["mxfp6_e3m2", undefined, 64],
  ["mxfp4", undefined, 20],
  ["int8", undefined, 48],
  ["int8", 32, 72],
] as const)("%s (group %s) of rows of %i, in primitives", (format, group, columns) => {
  const graph = lowered(format, group, columns);

  it("makes the format table's values", () => {
    const x = adversarial(200, columns);
    const expected = (x.data as Float32Array).slice();
    codecOf({ format, ...(group === undefined ? {} : { group }) }).round(expected, 200, columns);
    const actual = run(graph, x);
    const wrong = [...expected.keys()].filter((i) => actual[i] !== expected[i]);
    expect(wrong.map((i) => [x.data[i], actual[i], expected[i]])).toEqual([]);
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN])("lets no block with %s pass for numbers", (value) => {
    const x = adversarial(1, columns);
    (x.data as Float32Array)[3] = value;
    const block = Math.min(columns, group ?? (format === "int8" ? columns : 32));
    const actual = run(graph, x);
    expect([...actual.subarray(0, block)].every(Number.isNaN)).toBe(true);
    expect([...actual.subarray(block)].some(Number.isNaN)).toBe(false);
  });
});

it("says which formats can't be made of primitives", () => {
  expect(() => lowered("q4_0", undefined, 32)).toThrow("no primitives make q4_0 of numbers");
});
