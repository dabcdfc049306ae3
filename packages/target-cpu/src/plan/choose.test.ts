import { expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { llama } from "../testing/llama.ts";
import { DEFAULTS, goldenGraph } from "../testing/open-golden.ts";
import { chooseCpu } from "./choose.ts";
import { usableMemory } from "./memory.ts";

const AUTO = { ...DEFAULTS, format: "auto" };

test("a small model stays in float32, in all of its context, and nothing is said", () => {
  const { options, notes } = chooseCpu(goldenGraph("gpt_bigcode_mqa"), AUTO);
  expect(options).toEqual({ ...AUTO, format: "fp32" });
  expect(notes).toEqual([]);
});

test("a large one takes 4 bits, said in one line with what float32 would need", () => {
  const { options, notes } = chooseCpu(llama(2048, 12, 2048), AUTO);
  expect(options.format).toBe("int4");
  expect(notes).toHaveLength(1);
  const [packed, exact] = notes[0]!
    .match(/^using int4, ([\d.]+) GB; --format fp32 would need ([\d.]+) GB$/)!
    .slice(1)
    .map(Number);
  expect(exact).toBeGreaterThan(2);
  expect(packed).toBeLessThan(exact! / 2);
});

test("no weights are rounded for a batch whose caches nothing makes room for", () => {
  const asked = { ...AUTO, batchSize: 1e8 };
  const { options, notes } = chooseCpu(goldenGraph("gpt_bigcode_mqa"), asked);
  expect({ options, notes }).toEqual({ options: { ...asked, format: "fp32" }, notes: [] });
});

test("what was said is left as it was said", () => {
  const graph = llama(2048, 12, 2048);
  for (const format of ["fp32", "int8", "mxfp6"])
    expect(chooseCpu(graph, { ...DEFAULTS, format })).toEqual({ options: { ...DEFAULTS, format }, notes: [] });
});

test("a context beyond memory becomes the longest that fits", () => {
  const perToken = 2 * 4 * 1024 * 8;
  const context = Math.ceil((3 * usableMemory()) / perToken / 128) * 128;
  const graph = llama(1024, 8, context);
  const { options, notes } = chooseCpu(graph, AUTO);
  expect(options.ctxLen).toBeGreaterThanOrEqual(512);
  expect(cpuTarget.plan(graph, options).fits).toBe(true);
  expect(cpuTarget.plan(graph, { ...options, ctxLen: options.ctxLen + 128 }).fits).toBe(false);
  expect(notes).toEqual([
    `the longest context that memory holds is --ctx-len ${options.ctxLen}; the model takes ${context}`,
  ]);
  expect(cpuTarget.plan(graph, AUTO).fits).toBe(false); // a plan says what was asked, not what would do
});

test("every stage sees the same choice", () => {
  const graph = llama(2048, 12, 2048);
  expect(cpuTarget.pipeline(graph, AUTO)).toEqual(cpuTarget.pipeline(graph, { ...DEFAULTS, format: "int4" }));
  const [auto, int4] = ["auto", "int4"].map((format) => cpuTarget.plan(graph, { ...DEFAULTS, format }).devices);
  expect(auto).toEqual(int4);
});
