import { cacheFormat, corePasses, emulation, type Graph, programOf, runPipeline } from "@llm/core-ir";
import { readGolden } from "@llm/fixtures";
import { describe, expect, test } from "vitest";
import { cpuTarget } from "./cpu-target.ts";
import type { CpuOptions } from "./options.ts";
import { buildGolden, DEFAULTS } from "./testing/open-golden.ts";
import { goldenReference } from "./testing/reference.ts";

/** The canonical graph with the numerics that the options ask for: what the interpreter runs. */
function emulated(graph: Graph, options: Partial<CpuOptions>): Graph {
  const { format, qGroupSize: group = 0, kvFormat, activations } = options;
  const steps = [
    ...emulation({ ...(format === undefined ? {} : { format }), group, ...(activations ? { activations } : {}) }),
    { pass: "cache-form", params: { form: "none", ...cacheFormat(kvFormat) } },
  ];
  return runPipeline(programOf(graph), steps, { passes: corePasses }).nets[0]!.graph;
}

async function logits(name: string, options: Partial<CpuOptions>, ids: readonly number[]) {
  using built = await buildGolden(name, { options });
  const session = await cpuTarget.open(built.artefact, { ...DEFAULTS, ...options });
  const [result] = await session.step([
    { slot: 0, at: 0, tokens: Int32Array.from(ids), want: { kind: "logits", last: ids.length } },
  ]);
  const actual = result!.logits!.slice();
  await session.close();
  const reference = await goldenReference(name, emulated(built.graph, options), { slots: 1, context: 64 });
  const plain = await goldenReference(name, built.graph, { slots: 1, context: 64 });
  const step = (model: typeof reference) => model.step([{ slot: 0, at: 0, tokens: ids }])[0]!.logits;
  return { actual, expected: step(reference), exact: step(plain) };
}

const worst = (a: Float32Array, b: Float32Array) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

describe.each(["llama_gqa_llama3", "gpt_bigcode_mqa"])("%s", (name) => {
  const ids = readGolden(name).prompts[0]!.input_ids;

  test.each([
    { format: "mxfp6" },
    { format: "mxfp4" },
    { format: "int8", emulate: true },
    { format: "int4", emulate: true, qGroupSize: 32 },
    { format: "matmulnbits4", qGroupSize: 16 },
  ])("weights in $format are those of the interpreter", async (options) => {
    const { actual, expected, exact } = await logits(name, options, ids);
    expect(worst(actual, expected)).toBeLessThan(1e-3);
    expect(worst(actual, exact)).toBeGreaterThan(5 * worst(actual, expected));
  });

  // What is rounded to steps may land on another one where two sums differ in their last bits, hence not 1e-3.
  test.each([{ kvFormat: "mxint8" }, { kvFormat: "int8" }, { kvFormat: "fp16" }, { activations: "fp16" }] as const)(
    "%o",
    async (options) => {
      const { actual, expected, exact } = await logits(name, options, ids);
      expect(worst(actual, expected)).toBeLessThan(worst(expected, exact));
      expect(worst(actual, exact)).toBeGreaterThan(0);
    },
  );
});

test("what is no format is a wrong option", () => {
  expect(() => cpuTarget.pipeline({} as Graph, { ...DEFAULTS, format: "int5" })).toThrow(
    expect.objectContaining({ code: "option-invalid", message: expect.stringContaining('not "int5"') }),
  );
});
