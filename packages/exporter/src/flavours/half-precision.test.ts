import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint } from "@llm/checkpoint";
import { copyGolden, readGolden } from "@llm/fixtures";
import { architectureFor, Config } from "@llm/models";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { storageOf } from "../convert/storage.ts";
import { toOnnx } from "../convert/to-onnx.ts";
import { readOnnx } from "../read/read-onnx.ts";
import { writeOnnx } from "../write/write-onnx.ts";
import { halfPrecision } from "./half-precision.ts";
import { transformersInterface } from "./transformers-interface.ts";

const root = mkdtempSync(join(tmpdir(), "half-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function exported(name: string, half: boolean, cache: boolean) {
  const { config, weights, close } = await openCheckpoint(copyGolden(name, join(root, "checkpoints")));
  const decoder = architectureFor(config).build(new Config(config));
  const graph = transformersInterface(half ? halfPrecision(decoder) : decoder, { cache });
  const model = toOnnx(graph, { storage: storageOf(graph, weights) });
  const folder = join(root, `${name}-${half}-${cache}`);
  const result = await writeOnnx(model, { folder, name: "model", source: weights });
  await close();
  return { file: join(folder, "model.onnx"), result };
}

async function logitsOf(file: string, ids: readonly number[]): Promise<Float32Array> {
  const int64 = (values: readonly number[]) =>
    new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const all = { input_ids: int64(ids), attention_mask: int64(ids.map(() => 1)), position_ids: int64([...ids.keys()]) };
  const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => session.inputNames.includes(name)));
  const { logits } = await session.run(feeds);
  await session.release();
  return logits.data as Float32Array;
}

describe.each([
  "gpt2",
  "gpt_bigcode_mqa",
  "llama_gqa_llama3",
  "bloom",
  "falcon_rw",
  "gemma2",
  "mixtral",
  "deepseek_v3",
])("%s in fp16", (name) => {
  test("says nearly what it says in fp32", async () => {
    const { input_ids, greedy } = readGolden(name).prompts[0];
    const ids = [...input_ids, ...greedy];
    const wide = await logitsOf((await exported(name, false, false)).file, ids);
    const half = await logitsOf((await exported(name, true, false)).file, ids);
    let dot = 0;
    let [a, b] = [0, 0];
    for (let i = 0; i < wide.length; i++) {
      dot += wide[i] * half[i];
      a += wide[i] ** 2;
      b += half[i] ** 2;
    }
    expect(dot / Math.sqrt(a * b)).toBeGreaterThan(0.9999);
    expect(half).not.toEqual(wide);
  });

  test("keeps its cache and its weights in fp16", async () => {
    const summary = readOnnx((await exported(name, true, true)).file);
    const past = summary.inputs.filter(({ name }) => name.startsWith("past"));
    expect(new Set(past.map(({ type }) => type))).toEqual(new Set(["float16"]));
    expect(summary.outputs[0]).toMatchObject({ name: "logits", type: "float" });
    const large = summary.initializers.filter(({ shape }) => shape.reduce((x, y) => x * y, 1) > 1024);
    expect(new Set(large.map(({ type }) => type))).toEqual(new Set(["float16"]));
  });
});

test("a checkpoint in fp16 needs no copy", async () => {
  const { result } = await exported("fmt_fp16", true, true);
  expect(result.files.filter(({ path }) => path.endsWith(".data"))).toEqual([]);
});
