import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import type { Graph } from "@llm/core-ir";
import { goldenDir, readGoldenConfig } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import type { Artefact } from "@llm/target";
import { type BuildEvent, buildArtefact } from "@llm/target/engine";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { aic100Target } from "../aic100-target.ts";
import type { Aic100Options } from "../options.ts";
import { EMULATED, fitting, requestFor } from "../testing/build-golden.ts";
import { installFakeSdk } from "./testing/fake-sdk.ts";

const NAME = "gpt_bigcode_mqa";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aic100-unit-"));
  vi.stubEnv("QAIC_SDK_DIR", join(folder, "sdk"));
  vi.stubEnv("PATH", "/usr/bin:/bin");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

interface Compiled {
  readonly artefact: Artefact;
  readonly cached: Readonly<Record<string, boolean>>;
  readonly notes: readonly string[];
}

async function compile(given: Partial<Aic100Options> = {}): Promise<Compiled> {
  const checkpoint = await openCheckpoint(goldenDir(NAME));
  const config = new Config(readGoldenConfig(NAME));
  const graph: Graph = architectureFor(config.raw).build(config, (tensor) => checkpoint.weights.get(tensor)?.shape);
  const said = fitting(graph, { emulate: false, format: "mx6", name: "santa", promptLen: 8, ctxLen: 32, ...given });
  const { options } = aic100Target.choose!(graph, said);
  const notes: string[] = [];
  const onEvent = (event: BuildEvent) => {
    if (event.kind === "progress" && event.note) notes.push(event.note);
  };
  try {
    const request = requestFor(NAME, graph, checkpoint.weights, options, folder);
    const { artefact, units } = await buildArtefact({ ...request, onEvent });
    return { artefact, cached: Object.fromEntries(units.map(({ id, cached }) => [id, cached])), notes };
  } finally {
    await checkpoint.close();
  }
}

test("without an SDK: a kit, a line on what to do, and nothing that could be taken for a QPC", async () => {
  const { artefact } = await compile({ sdk: "recipe" });
  const paths = artefact.manifest.files.map(({ path }) => path);
  expect(paths).toContain("compile-kit/compile.sh");
  expect(paths).toContain("compile-kit/santa-kv/generatedModels/santa-kv.onnx");
  expect(paths.filter((path) => /qpc|\.bin$/.test(path))).toEqual([]);
  expect(aic100Target.unfinished!(artefact)).toMatch(
    /^nothing was compiled: qaic-exec .*compile-kit .*\.\/compile\.sh/,
  );
  await expect(aic100Target.open(artefact, EMULATED)).rejects.toMatchObject({ code: "tool-missing" });

  // The very graph that was exported goes through the compiler where there is one.
  installFakeSdk(join(folder, "sdk"), "qaic-exec 1.20");
  execFileSync(join(artefact.folder, "compile-kit/compile.sh"), { stdio: "ignore" });
  expect(existsSync(join(artefact.folder, "compile-kit/qpc/santa-1bs-8pl-32cl-16c-mx6/programqpc.bin"))).toBe(true);
});

test("with an SDK: the QPC under its published name, the compiler's words as progress, the same again from the cache", async () => {
  installFakeSdk(join(folder, "sdk"), "qaic-exec 1.20");
  const { artefact, notes } = await compile({ sdk: "recipe", socs: 4 });
  const paths = artefact.manifest.files.map(({ path }) => path);
  expect(paths).toContain("qpc/santa-1bs-8pl-32cl-64c-mx6/programqpc.bin");
  expect(paths.filter((path) => path.endsWith(".onnx"))).toEqual(["model.onnx"]);
  expect(notes).toEqual(expect.arrayContaining(["Compiling", "Done"]));
  expect(aic100Target.unfinished!(artefact)).toBeUndefined();
  expect(artefact.manifest.tools).toEqual({ "qaic-exec": expect.stringMatching(/^1\.20/) });
  expect((await compile({ sdk: "recipe", socs: 4 })).cached).toEqual({ decoder: true, qpc: true });

  // Equal in name, not in content: it takes the other's place.
  const record = join(artefact.folder, "qpc/santa-1bs-8pl-32cl-64c-mx6/compiled.json");
  const before = readFileSync(record, "utf8");
  expect((await compile({ sdk: "recipe", socs: 4, mxint8: true })).cached.qpc).toBe(false);
  expect(readFileSync(record, "utf8")).not.toBe(before);
});

test.each([
  ["qaic-exec 1.21", "1.21"],
  ["qaic-compile 1.22", "1.22"],
  ["qaic-compile 1.23", "today"],
])("%s is found, called as profile %s, and takes continuous batching's entries", async (which, profile) => {
  installFakeSdk(join(folder, "sdk"), which);
  const { artefact } = await compile({ fullBatchSize: 4, mxint8: true, aicEnableDepthFirst: true, mos: 1 });
  expect((artefact.manifest.options as { sdk: string }).sdk).toBe(profile);
  const file = artefact.manifest.files.find(({ path }) => path.endsWith("specializations.json"))!.path;
  const text = readFileSync(join(artefact.folder, file), "utf8");
  expect(text).toContain('"full_batch_size": "4"');
  expect(text.includes('"symbols"')).toBe(profile === "today");
});

test.each<Partial<Aic100Options>>([
  { numSpeculativeTokens: 3 },
  { compCtxLengths: [1024], ctxLen: 64 },
  { fullBatchSize: 2, onDeviceSampling: true, includeGuidedDecoding: true },
])("%j: every entry says every size of the graph, which the compiler insists on", async (options) => {
  installFakeSdk(join(folder, "sdk"), "qaic-compile 1.22");
  const { artefact } = await compile(options);
  expect(artefact.manifest.files.map(({ path }) => path)).toContainEqual(expect.stringMatching(/programqpc\.bin$/));
});

test("a failure of the compiler's is one line, and leaves nothing", async () => {
  installFakeSdk(join(folder, "sdk"), "qaic-compile 1.22");
  vi.stubEnv("FAKE_QAIC_FAIL", "alloc");
  await expect(compile()).rejects.toThrow(/^qaic-compile: it ran out of memory: [^\n]*$/);
  expect(existsSync(join(folder, "artefact"))).toBe(false);
});

test("two ways to say how many devices share a model have to agree", async () => {
  await expect(compile({ socs: 2, deviceGroup: [0, 1, 2] })).rejects.toMatchObject({ code: "option-invalid" });
});
