import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { readOnnx } from "@llm/exporter";
import { copyGolden } from "@llm/fixtures";
import { expect, it } from "vitest";
import { exportOnnx } from "./export-onnx.ts";
import { openModel } from "./open-model.ts";
import { openRunnable } from "./open-runnable.ts";
import { scratch } from "./testing/scratch.ts";

const { folder, env } = scratch();

it("says in the file what it was made of, and on what terms that was published", async () => {
  const checkpoint = copyGolden("gpt2", folder);
  writeFileSync(join(checkpoint, "README.md"), '---\nlanguage: en\nlicense: "bigcode-openrail-m"\n---\n# A model\n');
  const model = await openModel(checkpoint, { name: "licensed" });
  await exportOnnx(model, { folder: join(folder, "one") });
  const { producer, producerVersion, metadata } = await readOnnx(join(folder, "one", "model.onnx"));
  expect(producer).toBe("llm");
  expect(producerVersion).toMatch(/^\d+\.\d+\.\d+/);
  expect(metadata).toEqual({
    model: "licensed",
    architecture: "gpt2",
    fingerprint: model.weights.fingerprint,
    license: "bigcode-openrail-m",
  });
  const linked = await exportOnnx(model, { folder: join(folder, "two") });
  expect(linked.notes).toEqual([expect.stringMatching(/onnx's checker refuses.*--copy writes them/)]);
  expect((await exportOnnx(model, { folder: join(folder, "copied"), copy: true })).notes).toEqual([]);
  const [one, two] = ["one", "two"].map((name) => readFileSync(join(folder, name, "model.onnx")));
  expect(one!.equals(two!)).toBe(true);
  await model.close();
});

it("writes blocks, heads and onnxruntime-genai's config, and refuses what makes no sense", async () => {
  // Beside what is exported: files of another file system can't be linked to.
  const checkpoint = join(folder, "demo");
  cpSync(demoModelFolder, checkpoint, { recursive: true });
  const model = await openModel(checkpoint);
  const blocks = await exportOnnx(model, { folder: join(folder, "blocks"), perBlock: true, saveFp16Onnx: true });
  const names = blocks.files.map(({ path }) => path);
  for (const net of ["embedding", "block_5", "block_cache_0", "lm_head", "greedy_head", "sample_head"])
    expect(names).toEqual(expect.arrayContaining([`${net}.onnx`, `${net}_fp16.onnx`]));
  expect(blocks.bytesReferenced).toBeGreaterThan(10e6);

  await exportOnnx(model, { folder: join(folder, "genai"), name: "demo", genai: true });
  const config = JSON.parse(readFileSync(join(folder, "genai", "genai_config.json"), "utf8")) as {
    model: { decoder: Record<string, unknown> };
  };
  expect(config.model.decoder).toMatchObject({ filename: "demo.onnx", num_hidden_layers: 6 });

  const none = { folder: join(folder, "none") };
  const wrong = [{ saveFp32Onnx: false }, { genai: true, kv: false }, { genai: true, perBlock: true }];
  for (const options of wrong)
    await expect(exportOnnx(model, { ...none, ...options })).rejects.toMatchObject({ code: "option-invalid" });
  await model.close();
});

it("ends texts where config.json says, with no generation_config.json, and so does whoever runs it", async () => {
  const checkpoint = join(folder, "ends");
  cpSync(demoModelFolder, checkpoint, { recursive: true });
  rmSync(join(checkpoint, "generation_config.json"));
  const config = JSON.parse(readFileSync(join(checkpoint, "config.json"), "utf8")) as object;
  writeFileSync(join(checkpoint, "config.json"), JSON.stringify({ ...config, eos_token_id: [1, 9] }));
  const model = await openModel(checkpoint);
  await exportOnnx(model, { folder: join(folder, "ends-genai"), genai: true });
  await model.close();
  const genai = JSON.parse(readFileSync(join(folder, "ends-genai", "genai_config.json"), "utf8")) as object;
  expect(genai).toMatchObject({ model: { eos_token_id: [1, 9] } });
  const { artefact, defaults, close } = await openRunnable(checkpoint, { env });
  await close();
  expect(defaults.eosTokenId).toEqual([1, 9]);
  const finished = await openRunnable(artefact, { env });
  await finished.close();
  expect(finished.defaults.eosTokenId).toEqual([1, 9]);
});
