import type { Graph } from "@llm/core-ir";
import { ortAddonStatus } from "@llm/runtime-native/ort";
import { expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { openModel } from "../open.ts";
import type { CpuOptions } from "../options.ts";
import { CpuSession } from "../session/cpu-session.ts";
import { llama } from "../testing/llama.ts";
import { buildGolden, DEFAULTS, goldenGraph } from "../testing/open-golden.ts";
import { peakBytes } from "./liveness.ts";

/** What a step has in between with no copies of caches in it, which only some platforms need. */
function computed(model: Graph, options: Partial<CpuOptions>): number {
  const { kv, activations } = cpuTarget.plan(model, { ...DEFAULTS, ...options }).devices[0]!;
  return activations - (ortAddonStatus().used ? 0 : kv);
}

test("the parts make the total, and more slots take more cache and the logits of each", () => {
  const graph = goldenGraph("gpt_bigcode_mqa");
  const [one, four] = [1, 4].map((batchSize) => cpuTarget.plan(graph, { ...DEFAULTS, batchSize }).devices[0]!);
  const { total, weights, kv, activations, reserve, free } = one!;
  expect(weights + kv + activations + reserve + free).toBe(total);
  expect(four).toMatchObject({ weights, reserve, kv: 4 * kv });
  const logits = 4 * Number(graph.outputs[0]!.type.shape.at(-1));
  expect(computed(graph, { batchSize: 4 })).toBe(computed(graph, {}) + 3 * logits);
});

test("tokens of very many slots take more than a prompt does", () => {
  const graph = goldenGraph("gpt_bigcode_mqa");
  const activations = (batchSize: number) => computed(graph, { batchSize });
  expect(activations(20_000) - activations(10_000)).toBeGreaterThan(2 * (activations(20) - activations(10)) * 1000);
});

test("scores of a long context are there for some tokens at once, not for a whole chunk", () => {
  const graph = llama(2048, 2, 1 << 17);
  const activations = (ctxLen: number) => computed(graph, { ctxLen });
  expect(activations(1 << 15) - activations(1 << 12)).toBeLessThan(2 ** 28);
  expect(activations(1 << 17)).toBeLessThan(2 ** 30);
});

test("what is said to fit fits, and one more doesn't", () => {
  const graph = goldenGraph("gpt_bigcode_mqa");
  const { maxBatchSize } = cpuTarget.plan(graph, DEFAULTS);
  expect(cpuTarget.plan(graph, { ...DEFAULTS, batchSize: maxBatchSize }).fits).toBe(true);
  const more = cpuTarget.plan(graph, { ...DEFAULTS, batchSize: maxBatchSize + 1 });
  expect(more.fits).toBe(false);
  expect(more.why).toMatch(/short: the caches/);
});

test("a shorter context takes less", () => {
  const graph = goldenGraph("gpt_bigcode_mqa");
  const kv = (ctxLen: number) => cpuTarget.plan(graph, { ...DEFAULTS, ctxLen }).devices[0]!.kv;
  expect(kv(10)).toBeLessThan(kv(20));
  const longest = graph.dims.context!.max;
  expect(kv(0)).toBe(kv(longest));
  expect(() => kv(longest + 1)).toThrow(`--ctx-len ${longest + 1}: this model takes at most ${longest} tokens`);
});

test.each(["gpt_bigcode_mqa", "llama_gqa_llama3", "deepseek_v2"])(
  "%s: a full session's cache is what was planned",
  async (name) => {
    using built = await buildGolden(name);
    const context = 32;
    const { kv } = cpuTarget.plan(built.graph, { ...DEFAULTS, batchSize: 3, ctxLen: context }).devices[0]!;
    const model = await openModel(`${built.artefact.folder}/decoder.onnx`, { threads: 1 });
    const session = new CpuSession(model, 1, { slots: 3, context, chunk: context });
    await session.step([{ slot: 0, at: 0, tokens: new Int32Array(context) }]);
    await session.step(
      [0, 1, 2].map((slot) => ({ slot, at: slot === 1 ? 0 : context - 1, tokens: new Int32Array(1) })).slice(0, 2),
    );
    expect(session.cacheBytes).toBe(kv);
    await session.close();
  },
);

test("a chain of values needs room for two of them, a view for none", () => {
  const graph = goldenGraph("gpt_bigcode_mqa");
  const [x] = graph.inputs;
  const f32 = (id: string) => ({ id, type: { dtype: "f32", shape: ["tokens"] } }) as const;
  const [a, v, b, c] = ["a", "v", "b", "c"].map(f32);
  const op = (kind: string, ins: (typeof a)[], outs: (typeof a)[]) => ({
    kind,
    ins: ins as never,
    outs: outs as never,
    attrs: {},
  });
  const chain = {
    ...graph,
    states: [],
    outputs: [c!],
    ops: [op("cast", [x as never], [a]), op("reshape", [a], [v]), op("unary", [v], [b]), op("unary", [b], [c])],
  };
  expect(peakBytes(chain, { tokens: 10 }, () => 0)).toBe(80);
  expect(peakBytes(chain, { tokens: 10 }, ({ kind }) => (kind === "cast" ? 1000 : 0))).toBe(1040);
});
