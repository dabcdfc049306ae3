import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { genaiConfig, halfPrecision, storageOf, toOnnx, transformersInterface, writeOnnx } from "@llm/exporter";
import { goldenDir, goldenRoot, readGolden } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import type { Target } from "@llm/target";
import { aic100Target } from "@llm/target-aic100";
import { bm1684xTarget } from "@llm/target-bm1684x";
import { cpuTarget } from "@llm/target-cpu";
import { exportModel } from "@llm/toolchain";
import { afterAll, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { chosenModels, openGolden } from "./golden-models.ts";
import { lacks, python } from "./python.ts";

const root = mkdtempSync(join(tmpdir(), "onnx-python-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const MODELS = readdirSync(goldenRoot, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(goldenRoot, entry.name)).includes("golden.json"))
  .map(({ name }) => name);

/** A device's own word for a model that it can't have. */
const REFUSED = /mixtures of experts|choose a length up to \d+$/;

interface Flavour {
  readonly opset: number;
  readonly cache: boolean;
  readonly half?: boolean;
}

async function exported(name: string, folder: string, { opset, cache, half = false }: Flavour) {
  const golden = readGolden(name);
  const { config, weights, close } = await openCheckpoint(goldenDir(name), { overrides: golden.overrides ?? {} });
  const decoder = architectureFor(config).build(new Config(config), (tensor) => weights.get(tensor)?.shape);
  const graph = transformersInterface(half ? halfPrecision(decoder) : decoder, { cache });
  const model = toOnnx(graph, { opset, storage: storageOf(graph, weights) });
  await writeOnnx(model, { folder, name: "model", source: weights, link: "copy" });
  await close();
  return { graph, golden };
}

function need(context: TestContext, missing: string | undefined): void {
  if (missing === undefined) return;
  if (process.env.LLM_TEST_REQUIRE_ALL === "1") expect.fail(missing);
  context.skip(missing);
}

describe("the onnx package's checker, with full and strict shape inference", () => {
  const missing = lacks("onnx", "onnx==1.23.2");
  beforeEach((context) => need(context, missing));

  test.each<Flavour>([
    { opset: 17, cache: true },
    { opset: 17, cache: false },
    { opset: 17, cache: true, half: true },
    { opset: 18, cache: true },
    { opset: 21, cache: true },
    { opset: 23, cache: true, half: true },
  ])("accepts every golden model, %j", async (flavour) => {
    const folder = join(root, JSON.stringify(flavour));
    for (const name of MODELS) await exported(name, join(folder, name), flavour);
    const printed = python(
      "check.py",
      MODELS.map((name) => join(folder, name, "model.onnx")),
    );
    const results = printed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(results.filter(({ ok, domains }) => !ok || domains.length > 0)).toEqual([]);
    expect(results.length).toBe(MODELS.length);
  });

  // Where a vendor's ops are in it, the package checks all but those.
  test.each([
    { target: cpuTarget as Target, options: {} },
    { target: aic100Target as Target, options: { ctxLen: 32, promptLen: 8 } },
    { target: bm1684xTarget as Target, options: { ctxLen: 32 } },
  ])(
    "accepts what is exported for $target.id",
    async ({ target, options }) => {
      const folder = join(root, target.id);
      const env = { ...process.env, XDG_CACHE_HOME: join(root, "cache") };
      for (const name of chosenModels()) {
        const model = await openGolden(name);
        const linked = join(root, `${target.id}-${name}`);
        await exportModel(model, target, { folder: linked, env, targetOptions: options })
          .then(() => cpSync(linked, join(folder, name), { recursive: true })) // the package refuses files with a second name
          .catch((error: Error) => expect(error.message).toMatch(REFUSED));
        await model.close();
      }
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"));
      const results = python(
        "check.py",
        files.map((file) => join(folder, file)),
      );
      const found = results
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(found.filter(({ ok }) => !ok)).toEqual([]);
      expect(found.length).toBe(files.length);
      expect(readdirSync(folder).length).toBeGreaterThan(25);
    },
    180_000,
  );
});

describe("onnxruntime-genai", () => {
  const missing = lacks("onnxruntime_genai", "onnxruntime-genai==0.18.0");
  beforeEach((context) => need(context, missing));

  /** A process and seconds each: the others by `pnpm test:flavours`. */
  const some = ["gpt2", "gpt_bigcode_mqa", "llama_gqa_llama3", "qwen2", "gemma2", "bloom", "falcon_7b", "mixtral"];
  const all = MODELS.filter((name) => !name.startsWith("deepseek")); // keeps no values
  test.each(process.env.LLM_TEST_FLAVOURS === "all" ? all : some)(
    "continues the golden prompts of %s",
    async (name) => {
      const folder = join(root, `genai-${name}`);
      const { graph, golden } = await exported(name, folder, { opset: 17, cache: true });
      const said = new Set(golden.prompts.flatMap(({ greedy }) => greedy));
      const silent = [...Array(golden.vocab_size).keys()].find((id) => !said.has(id))!; // ends nothing
      const config = genaiConfig({ filename: "model.onnx", graph, context: 64, eos: [silent] });
      writeFileSync(join(folder, "genai_config.json"), JSON.stringify(config));
      for (const { input_ids, greedy } of golden.prompts)
        expect(JSON.parse(python("genai.py", [folder, String(greedy.length), input_ids.join()]))).toEqual(greedy);
    },
  );
});
