import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { genaiConfig, halfPrecision, storageOf, toOnnx, transformersInterface, writeOnnx } from "@llm/exporter";
import { goldenDir, goldenRoot, readGolden } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import { afterAll, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { lacks, python } from "./python.ts";

const root = mkdtempSync(join(tmpdir(), "onnx-python-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const MODELS = readdirSync(goldenRoot, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && readdirSync(join(goldenRoot, entry.name)).includes("golden.json"))
  .map(({ name }) => name);

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
});

describe("onnxruntime-genai", () => {
  const missing = lacks("onnxruntime_genai", "onnxruntime-genai==0.18.0");
  beforeEach((context) => need(context, missing));

  test.each(["gpt2", "gpt_bigcode_mqa", "llama_gqa_llama3", "qwen2", "gemma2", "bloom", "falcon_7b", "mixtral"])(
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
