import { rmSync, truncateSync } from "node:fs";
import { ortKernel } from "@llm/runtime-native/ort";
import { TargetError } from "@llm/target";
import { usableMemory } from "@llm/target/engine";
import { expect, test } from "vitest";
import { cpuTarget } from "./cpu-target.ts";
import { threadCount } from "./open.ts";
import { chunkOf } from "./pipeline.ts";
import { buildGolden, DEFAULTS, goldenGraph } from "./testing/open-golden.ts";

const host = { platform: process.platform, arch: process.arch, env: {} };

async function refusal(attempt: Promise<unknown>): Promise<TargetError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!TargetError.isInstance(error)) throw new Error("no TargetError", { cause: error });
  expect(error.message).not.toContain("\n");
  return error;
}

test("doctor names the runtime, the addon, its threads, the processor and its kernels, and where their weights are kept", async () => {
  const findings = await cpuTarget.doctor(host);
  const names = ["onnxruntime", "addon", "threads", "processor", "kernels", "panels"];
  expect(findings.map(({ name }) => name)).toEqual(names);
  const finding = (of: typeof findings, wanted: string) => of.find(({ name }) => name === wanted)!;
  expect(finding(findings, "onnxruntime")).toMatchObject({
    state: "ok",
    detail: expect.stringMatching(/^ONNX Runtime 1\./),
  });
  expect(finding(findings, "kernels").detail).toMatch(
    new RegExp(`multiplied by ${ortKernel() ? `our ${ortKernel()}` : "ONNX Runtime"}`),
  );
  for (const { state, detail } of findings) expect(state === "ok" || detail.length > 0).toBe(true);
  const nowhere = await cpuTarget.doctor({ ...host, env: { XDG_CACHE_HOME: import.meta.filename } });
  expect(finding(nowhere, "panels")).toMatchObject({ state: "warning", detail: expect.stringContaining("ENOTDIR") });
});

test("a session takes the model's limits unless told less", async () => {
  using built = await buildGolden("gpt_bigcode_mqa");
  const whole = await cpuTarget.open(built.artefact, DEFAULTS);
  expect(whole.limits).toMatchObject({ slots: 1, context: built.artefact.manifest.model.context });
  await whole.close();
  const less = await cpuTarget.open(built.artefact, { ...DEFAULTS, batchSize: 3, ctxLen: 20 });
  expect(less.limits).toMatchObject({ slots: 3, context: 20, chunk: 20, cacheTokens: 60 });
  await less.close();
});

test("a finished artefact's session promises no more tokens than memory holds, and says so", async () => {
  using built = await buildGolden("gpt_bigcode_mqa");
  const { folder, manifest } = built.artefact;
  const model = { ...manifest.model, context: 1e9 };
  const notes: string[] = [];
  const tell = (event: { kind: string; text?: string }) => notes.push(event.text ?? event.kind);
  const artefact = { folder, manifest: { ...manifest, model } };
  const session = await cpuTarget.open(artefact, { ...DEFAULTS, batchSize: 8 }, undefined, tell);
  const { context, cacheTokens } = session.limits;
  await session.close();
  expect(context).toBeGreaterThanOrEqual(512);
  const perToken = 2 * 4 * (model.width / 4) * model.blocks; // one key head of four
  expect(cacheTokens * perToken).toBeLessThan(usableMemory());
  expect(notes).toEqual([expect.stringMatching(`^using --ctx-len ${context} of 1000000000, `)]);
});

test("a mesh of more stages than a model has parts is refused by its flag", () => {
  const graph = goldenGraph("gpt_bigcode_mqa");
  const stages = (pp: number) => cpuTarget.pipeline(graph, { ...DEFAULTS, mesh: `1x1x${pp}` });
  expect(stages(graph.blocks.length).length).toBeGreaterThan(0);
  expect(() => cpuTarget.plan(graph, { ...DEFAULTS, mesh: "1x1x99" })).toThrow(/^--mesh 1x1x99 has 99 stages/);
  expect(() => stages(99)).toThrow(/^--mesh 1x1x99 has 99 stages, but the model has \d+ parts/);
});

test("there are as many threads as cores unless said, and never more than processors", () => {
  expect(threadCount(0, 8, 4)).toBe(4);
  expect(threadCount(3, 8, 4)).toBe(3);
  expect(threadCount(9999, 8, 4)).toBe(8);
});

test("rows are shorter where every query and key has a bias", () => {
  expect(chunkOf(["ids", "positions"], 4096)).toBe(512);
  expect(chunkOf(["ids", "positions", "span"], 4096)).toBe(128);
  expect(chunkOf(["ids"], 100)).toBe(100);
});

test("a context that the model can't take is refused with its limit", async () => {
  using built = await buildGolden("gpt_bigcode_mqa");
  const most = built.artefact.manifest.model.context;
  const error = await refusal(cpuTarget.open(built.artefact, { ...DEFAULTS, ctxLen: most + 1 }));
  expect(error).toMatchObject({ code: "option-invalid", message: expect.stringContaining(`${most}`) });
});

test("a damaged or missing model says what to do", async () => {
  using built = await buildGolden("gpt_bigcode_mqa");
  const file = `${built.artefact.folder}/decoder.onnx`;
  truncateSync(file, 100);
  expect(await refusal(cpuTarget.open(built.artefact, DEFAULTS))).toMatchObject({
    code: "artefact-damaged",
    message: expect.stringMatching(/build the artefact again/),
  });
  rmSync(file);
  expect((await refusal(cpuTarget.open(built.artefact, DEFAULTS))).code).toBe("artefact-damaged");
});
