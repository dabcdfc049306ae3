import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, pipeline } from "@huggingface/transformers";
import { openCheckpoint } from "@llm/checkpoint";
import { copyGolden, readGolden } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readOnnx } from "../read/read-onnx.ts";
import { ONE_OF_EACH } from "../testing/golden-models.ts";
import { exportTransformersJs, type TransformersJsDtype } from "./transformersjs.ts";

const root = mkdtempSync(join(tmpdir(), "transformersjs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => {
  env.allowRemoteModels = false;
  env.localModelPath = "/";
});

/** A tokenizer whose words are "t0 t1 t2 …", so that text says exactly which ids it is. */
function wordTokenizer(vocab: number): Record<string, Uint8Array> {
  const words = Object.fromEntries(Array.from({ length: vocab }, (_, id) => [`t${id}`, id]));
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", vocab: words, unk_token: "t0" },
  };
  const files = {
    "tokenizer.json": tokenizer,
    "tokenizer_config.json": { tokenizer_class: "PreTrainedTokenizerFast", clean_up_tokenization_spaces: false },
    "generation_config.json": { _from_model_config: true },
  };
  return Object.fromEntries(
    Object.entries(files).map(([name, value]) => [name, new TextEncoder().encode(JSON.stringify(value))]),
  );
}

async function exported(name: string, dtypes: readonly TransformersJsDtype[], link: "hard" | "copy" = "hard") {
  const golden = readGolden(name);
  const checkpoint = await openCheckpoint(copyGolden(name, join(root, "checkpoints")), {
    overrides: golden.overrides ?? {},
  });
  const folder = join(root, `${name}-${dtypes}-${link}`);
  const shapeOf = (tensor: string) => checkpoint.weights.get(tensor)?.shape;
  const decoder = architectureFor(checkpoint.config).build(new Config(checkpoint.config), shapeOf);
  const result = await exportTransformersJs(decoder, {
    folder,
    source: checkpoint.weights,
    config: { ...checkpoint.config, eos_token_id: null },
    files: wordTokenizer(golden.vocab_size),
    dtypes,
    link,
  });
  await checkpoint.close();
  return { folder, golden, result };
}

const text = (ids: readonly number[]) => ids.map((id) => `t${id}`).join(" ");

async function greedy(folder: string, prompt: readonly number[], dtype: TransformersJsDtype): Promise<string> {
  const generator = await pipeline("text-generation", folder, { dtype, device: "cpu" });
  const [first] = (await generator(text(prompt), {
    max_new_tokens: 24,
    do_sample: false,
    return_full_text: false,
  })) as {
    generated_text: string;
  }[];
  await generator.dispose();
  return first.generated_text.trim();
}

async function firstLogits(file: string, ids: readonly number[]): Promise<Float32Array> {
  const int64 = (values: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const feeds: Record<string, ort.Tensor> = { input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)) };
  if (session.inputNames.includes("position_ids")) feeds.position_ids = int64([...ids.keys()]);
  for (const { name, shape } of readOnnx(file).inputs.filter((input) => input.name.startsWith("past"))) {
    const dims = shape.map((dim) => (dim === "batch_size" ? 1 : typeof dim === "number" ? dim : 0));
    feeds[name] = new ort.Tensor("float32", new Float32Array(0), dims);
  }
  const { logits } = await session.run(feeds);
  await session.release();
  return logits.data as Float32Array;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** Every prompt by `pnpm test:flavours`. */
const PROMPTS = process.env.LLM_TEST_FLAVOURS === "all" ? undefined : 1;

/** Forms of the same architecture that are another interface, or another cache, to it. */
const FORMS = ["gpt_bigcode_mqa", "llama_gqa_llama3", "mistral_swa", "phi3_partial", "falcon_40b", "falcon_7b"];

describe.each([...new Set([...ONE_OF_EACH.map(({ name }) => name), ...FORMS])])(
  "%s in transformers.js, unmodified",
  (name) => {
    test("continues the golden prompts", async () => {
      const { folder, golden } = await exported(name, ["fp32"]);
      for (const { input_ids, greedy: expected } of golden.prompts.slice(0, PROMPTS))
        expect(await greedy(folder, input_ids, "fp32")).toBe(text(expected));
    });
  },
);

describe("the folder", () => {
  test("names its weights as chunks of external data, and counts them", async () => {
    const { folder, result } = await exported("fmt_sharded", ["fp32", "fp16"]);
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    const chunks = config["transformers.js_config"].use_external_data_format;
    for (const [model, count] of Object.entries(chunks)) {
      const files = readdirSync(join(folder, "onnx")).filter((file) => file.startsWith(`${model}_data`));
      expect(files.length).toBe(count);
      expect(files).toContain(`${model}_data`);
    }
    expect(Object.keys(chunks)).toEqual(["model.onnx", "model_fp16.onnx"]);
    expect(result.bytesReferenced).toBeGreaterThan(0);
  });

  test("copied, it stands alone; exported again, old chunks are gone", async () => {
    await exported("fmt_sharded", ["fp32"], "copy");
    const { folder, golden } = await exported("fmt_sharded", ["fp32"], "copy");
    writeFileSync(join(folder, "onnx", "model.onnx_data_7"), "old");
    await exported("fmt_sharded", ["fp32"], "copy");
    expect(readdirSync(join(folder, "onnx")).sort()).toEqual(["model.onnx", "model.onnx_data"]);
    expect(await greedy(folder, golden.prompts[0].input_ids, "fp32")).toBe(text(golden.prompts[0].greedy));
  });

  test.each([
    ["q8", "_quantized", 0.9995],
    ["q4", "_q4", 0.97],
  ] as const)("%s says nearly the same, from weights of fewer bits", async (dtype, suffix, least) => {
    const { folder, golden } = await exported("gpt_bigcode_mha", ["fp32", dtype]);
    expect((await greedy(folder, golden.prompts[0].input_ids, dtype)).split(" ").length).toBe(24);
    const [whole, packed] = await Promise.all(
      ["", suffix].map((name) => firstLogits(join(folder, "onnx", `model${name}.onnx`), golden.prompts[0].input_ids)),
    );
    expect(cosine(whole, packed)).toBeGreaterThan(least);
    const ops = readOnnx(join(folder, "onnx", `model${suffix}.onnx`)).ops;
    expect(ops.some(({ op }) => op === "MatMulNBits")).toBe(true);
    expect(ops.some(({ op }) => op === "Gemm")).toBe(false);
  });

  test("brings the checkpoint along only where most of it is used", async () => {
    const linked = async (dtype: TransformersJsDtype) => {
      const { result } = await exported("gpt_bigcode_mha", [dtype]);
      return result.files.flatMap(({ path, origin }) => (origin === undefined ? [] : [path]));
    };
    expect(await linked("fp32")).toEqual(["onnx/model.onnx_data"]);
    expect(await linked("q8")).toEqual([]);
  });

  test("fp16 runs", async () => {
    const { folder, golden } = await exported("llama_mha", ["fp16"]);
    expect((await greedy(folder, golden.prompts[0].input_ids, "fp16")).split(" ").length).toBe(24);
  });
});
