import type { Graph } from "@llm/core-ir";
import { usableMemory } from "@llm/target/engine";
import { afterEach, expect, test, vi } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import type { CpuOptions } from "../options.ts";
import { llama } from "../testing/llama.ts";
import { DEFAULTS, goldenGraph } from "../testing/open-golden.ts";
import { chooseCpu } from "./choose.ts";
import { spareShare } from "./memory.ts";

afterEach(() => void vi.restoreAllMocks());

/** Of the golden's config. */
const CONTEXT = 64;
const AUTO = { ...DEFAULTS, format: "auto" };

test("a small model stays in float32, in all of its context, and nothing is said", () => {
  const { options, notes } = chooseCpu(goldenGraph("gpt_bigcode_mqa"), AUTO);
  expect(options).toEqual({ ...AUTO, format: "fp32", ctxLen: CONTEXT });
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

test("no weights are rounded for a batch whose caches nothing makes room for, which is said", () => {
  const asked = { ...AUTO, batchSize: 1e8 };
  const { options, notes } = chooseCpu(goldenGraph("gpt_bigcode_mqa"), asked);
  expect(options).toEqual({ ...asked, format: "fp32", ctxLen: CONTEXT });
  expect(notes).toEqual([
    expect.stringMatching(/^fp32 with 100000000 × \d+ tokens doesn't fit: .*; a smaller --batch-size would fit$/),
  ]);
});

test("what fits in no format takes the least, and the line says so", () => {
  const { options, notes } = chooseCpu(llama(65536, 40, 131072), AUTO);
  expect(options).toEqual({ ...AUTO, format: "int4", ctxLen: 512 });
  expect(notes).toEqual([
    expect.stringMatching(
      /^int4 with 512 tokens doesn't fit: it takes [\d.]+ GB of memory and there are [\d.]+ GB; take a smaller model/,
    ),
  ]);
});

test("what was asked for and doesn't fit is left so, with what would", () => {
  const graph = llama(4096, 2, 131072);
  const asked = { ...DEFAULTS, format: "int4", batchSize: 4096, ctxLen: 131072 };
  const { options, notes } = chooseCpu(graph, asked);
  expect(options).toEqual(asked);
  expect(notes).toEqual([expect.stringMatching(/^int4 with 4096 × 131072 tokens doesn't fit: .* would fit$/)]);
});

test.each([
  [{ format: "fp32", ctxLen: 2048 }, "--format int4 with a shorter --ctx-len"],
  [{ format: "fp32", ctxLen: 512, batchSize: 8 }, "--format int4 with a smaller --batch-size"],
  [
    { format: "fp32", ctxLen: 8192, batchSize: 64 },
    "--format int4 with a smaller --batch-size and a shorter --ctx-len",
  ],
  [{ format: "int4", ctxLen: 8192, batchSize: 64 }, "a smaller --batch-size with a shorter --ctx-len"],
  [{ format: "int4", ctxLen: 8192 }, "a shorter --ctx-len"],
])("in a container of a gigabyte, all of what would fit is said: %j", (asked, instead) => {
  vi.spyOn(process, "constrainedMemory").mockReturnValue(2 ** 30);
  const { notes } = chooseCpu(llama(2048, 12, 8192), { ...DEFAULTS, ...asked });
  expect(notes).toEqual([expect.stringMatching(`; ${instead} would fit$`)]);
});

test("what was said is left as it was said", () => {
  const graph = llama(2048, 12, 2048);
  for (const format of ["fp32", "int8", "mxfp6"])
    expect(chooseCpu(graph, { ...DEFAULTS, format, ctxLen: 100 })).toEqual({
      options: { ...DEFAULTS, format, ctxLen: 100 },
      notes: [],
    });
});

/** A model whose keys and values alone are three times what there is of memory. */
function tooLong(width: number, blocks: number) {
  const perToken = 2 * 4 * width * blocks;
  const context = Math.ceil((3 * usableMemory()) / perToken / 128) * 128;
  return { graph: llama(width, blocks, context), context };
}

/** Whether the system and others keep their part. */
function leavesRoom(graph: Graph, options: CpuOptions): boolean {
  return cpuTarget.plan(graph, options).devices.every(({ free, total }) => free >= spareShare() * total);
}

test("a context beyond memory becomes the longest that leaves the system its part", () => {
  const { graph, context } = tooLong(1024, 8);
  const { options, notes } = chooseCpu(graph, AUTO);
  expect(options.ctxLen).toBeGreaterThanOrEqual(512);
  expect(leavesRoom(graph, options)).toBe(true);
  expect(leavesRoom(graph, { ...options, ctxLen: options.ctxLen + 128 })).toBe(false);
  const [used, all] = notes[0]!
    .match(/^using --ctx-len \d+ of \d+, ([\d.]+) GB; all of it would need ([\d.]+) GB$/)!
    .slice(1)
    .map(Number);
  expect(notes[0]).toContain(`--ctx-len ${options.ctxLen} of ${context}`);
  expect(used! / all!).toBeLessThan(0.5);
  expect(cpuTarget.plan(graph, AUTO).fits).toBe(false); // a plan says what was asked, not what would do
});

test("a format and a context are said in one line, with what they take together", () => {
  const { graph, context } = tooLong(2048, 12);
  const { options, notes } = chooseCpu(graph, AUTO);
  expect(options.format).toBe("int4");
  const [device] = cpuTarget.plan(graph, options).devices;
  const taken = ((device!.total - device!.free) / 1e9).toFixed(1);
  expect(notes).toEqual([
    expect.stringMatching(
      `^using int4 and --ctx-len ${options.ctxLen} of ${context}, ${taken} GB; --format fp32 would need [\\d.]+ GB with 512$`,
    ),
  ]);
});

test("every stage sees the same choice", () => {
  const graph = llama(2048, 12, 2048);
  expect(cpuTarget.pipeline(graph, AUTO)).toEqual(cpuTarget.pipeline(graph, { ...DEFAULTS, format: "int4" }));
  const [auto, int4] = ["auto", "int4"].map((format) => cpuTarget.plan(graph, { ...DEFAULTS, format }).devices);
  expect(auto).toEqual(int4);
});
