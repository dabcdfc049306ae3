import { describe, expect, it } from "vitest";
import { Builder } from "./builder.ts";
import type { Graph } from "./graph.ts";
import { dialect, op } from "./op-def.ts";
import { graphPass, noParams, type PassTrace, programOf, runPipeline } from "./pass.ts";
import { corePasses } from "./passes/index.ts";
import { removeDead } from "./remove-dead.ts";
import { schema } from "./schema.ts";
import { graphAfter } from "./testing/run-toy.ts";
import { toyDecoder } from "./testing/toy.ts";

const toy = toyDecoder();
const kinds = (graph: Graph): string[] => graph.ops.map(({ kind }) => kind);
const run =
  (...steps: { pass: string; params?: Record<string, string> }[]) =>
  () =>
    runPipeline(programOf(toy), steps, { passes: corePasses });

describe("a pipeline", () => {
  it("is data, and shows every step before and after", () => {
    const traces: PassTrace[] = [];
    const steps = [{ pass: "pad" }, { pass: "cache-form", params: { form: "fused" } }];
    const end = runPipeline(programOf(toy), steps, { passes: corePasses, onPass: (trace) => traces.push(trace) });
    expect(traces.map(({ step }) => step)).toEqual(steps);
    expect(traces[0]!.before.nets[0]!.graph).toBe(toy);
    expect(traces[0]!.after).toBe(traces[1]!.before);
    expect(traces[1]!.after).toBe(end);
  });

  it("says which pass is unknown, or called wrongly", () => {
    expect(run({ pass: "padd" })).toThrow("no pass is called padd; there are cache-form, ");
    expect(run({ pass: "cache-form" })).toThrow(
      "pass cache-form: attribute form is missing (fused | scatter | append | history | none)",
    );
    expect(run({ pass: "cache-form", params: { form: "paged" } })).toThrow(
      'attribute form is "paged", not fused | scatter',
    );
    expect(run({ pass: "pad", params: { rows: "x" } })).toThrow("pass pad: unknown attribute rows; there is slots");
  });

  it("checks the spec after every pass and blames the one that broke it", () => {
    const breaks = graphPass({
      name: "breaks",
      doc: "Loses an op.",
      params: noParams,
      run: (graph) => ({ ...graph, ops: graph.ops.slice(1) }),
    });
    const steps = [{ pass: "pad" }, { pass: "breaks" }];
    expect(() => runPipeline(programOf(toy), steps, { passes: [...corePasses, breaks] })).toThrow(
      "pass breaks: norm block_0.norm uses embedding.embed, which nothing before it makes",
    );
  });

  it("checks the spec before the first", () => {
    const broken = { ...toy, dims: {} };
    expect(() => runPipeline(programOf(broken), [], { passes: corePasses })).toThrow("the symbol tokens has no range");
  });
});

describe("lower", () => {
  it("leaves no op but those of the named dialects, and those it is told to keep", () => {
    const lowered = graphAfter(toy, "lower");
    expect(lowered.dialects).toEqual(["primitive"]);
    const kept = graphAfter(toy, ["lower", { keep: ["attention", "linear"] }]);
    expect(new Set(kinds(kept).filter((kind) => kind === "attention" || kind === "norm"))).toEqual(
      new Set(["attention"]),
    );
    expect(kept.dialects).toEqual(["decoder", "primitive"]);
    expect(lowered.blocks.map(({ name }) => name)).toEqual(toy.blocks.map(({ name }) => name));
    expect(lowered.outputs.map(({ id }) => id)).toEqual(["logits"]);
  });

  it("lowers another dialect's ops by their own tables, and names what can't be", () => {
    const twice = op({
      doc: "x + x",
      operands: ["x"],
      attrs: schema({}),
      infer: ([x]) => [x!],
      lower: ({ ins: [x] }, b) => [b.add(x!, x!)],
    });
    const known = dialect("own", { twice, opaque: { ...twice, lower: undefined } });
    const graphOf = (kind: string) => {
      const b = new Builder("own", [known]);
      b.output(b.op(kind, [b.input("x", "f32", [2])]), "y");
      return b.finish();
    };
    const options = { passes: corePasses, dialects: [known] };
    const lowered = runPipeline(programOf(graphOf("twice")), [{ pass: "lower" }], options).nets[0]!.graph;
    expect(kinds(lowered)).toEqual(["binary"]);
    expect(() => runPipeline(programOf(graphOf("opaque")), [{ pass: "lower" }], options)).toThrow(
      "pass lower: opaque y can't be said in primitive",
    );
  });
});

describe("rotary-tables", () => {
  it("leaves no rotary op, and one table of each for all layers", () => {
    const graph = graphAfter(toy, ["rotary-tables", { context: 16 }]);
    expect(kinds(graph)).not.toContain("rotary");
    expect(graph.constants.filter(({ data }) => data.shape.join() === "16,2").length).toBe(2);
  });
});

describe("eliminate-dead", () => {
  it("drops what no output needs, in chains, with its leaves, and moves blocks", () => {
    const b = new Builder("dead");
    const x = b.input("x", "f32", ["n", 2]);
    b.dim("n", { min: 1, max: 4 });
    const leaf = (name: string) => b.weight({ op: "tensor", name, shape: [2, 2] });
    b.block("first", () => b.softcap(b.linear(x, leaf("unused")), 2)); // a chain that ends nowhere
    const y = b.block("second", () => b.add(b.linear(x, leaf("used")), b.constant(1)));
    b.unary("exp", b.constant(7));
    b.output(y, "y");
    const dead = b.finish();
    const lean = removeDead(dead);
    expect(kinds(lean)).toEqual(["linear", "binary"]);
    expect(lean.weights.map(({ value }) => value.id)).toEqual(["used"]);
    expect(lean.constants.length).toBe(1);
    expect(lean.blocks).toEqual([
      { name: "first", from: 0, to: 0 },
      { name: "second", from: 0, to: 2 },
    ]);
    const pass = corePasses.find(({ name }) => name === "eliminate-dead")!;
    expect(pass.run(programOf(dead), {}, { dialects: [] })).toEqual(programOf(lean));
  });
});
