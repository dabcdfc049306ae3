import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { goldenDir } from "@llm/fixtures";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CheckpointError, openCheckpoint } from "./index.ts";
import { fuzzRuns } from "./testing/fuzz-runs.ts";
import { safetensorsFile } from "./testing/safetensors-file.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "checkpoint-"));
});
afterAll(() => rm(root, { recursive: true }));

/** A folder with these files. */
async function folder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const path = await mkdtemp(join(root, "case-"));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

const two = safetensorsFile({
  a: { dtype: "F32", shape: [2], bytes: new Uint8Array(8).fill(1) },
  b: { dtype: "BF16", shape: [1, 3], bytes: new Uint8Array(6).fill(2) },
});

test("a folder opens with its config, its files and where its tensors are", async () => {
  const path = await folder({
    "config.json": '{"model_type":"llama","unknown":[1]}',
    "generation_config.json": '{"top_k":3}',
    "tokenizer.json": "{}",
    "model.safetensors": two,
    "model.py": "import os",
  });
  const checkpoint = await openCheckpoint(path, { overrides: { "rope_scaling.factor": 2 } });
  expect(checkpoint.kind).toBe("huggingface");
  expect(checkpoint.config).toEqual({ model_type: "llama", unknown: [1], rope_scaling: { factor: 2 } });
  expect(checkpoint.generationConfig).toEqual({ top_k: 3 });
  expect(checkpoint.files).toEqual(["config.json", "generation_config.json", "tokenizer.json"]);
  expect(await checkpoint.readJson("tokenizer.json")).toEqual({});
  expect(await checkpoint.readFile("model.py")).toBeUndefined();
  expect([...checkpoint.weights.names()]).toEqual(["a", "b"]);
  const b = checkpoint.weights.get("b")!;
  expect(b).toMatchObject({ format: "bf16", shape: [1, 3] });
  const bytes = new Uint8Array(6);
  await checkpoint.weights.read(b.parts.data!, bytes);
  expect(bytes).toEqual(new Uint8Array(6).fill(2));
  expect(checkpoint.describe()).toMatchObject({
    modelType: "llama",
    parameters: 5,
    bytes: 14,
    formats: { f32: 1, bf16: 1 },
    tensors: [{ name: "a" }, { name: "b", file: "model.safetensors", bytes: 6, readable: true }],
  });
  await checkpoint.close();
  await expect(checkpoint.weights.read(b.parts.data!, bytes)).rejects.toMatchObject({ code: "closed" });
});

test("the bytes of a golden checkpoint are where the header says, sharded or not", async () => {
  for (const name of ["fmt_bf16", "fmt_fp16", "fmt_sharded", "fmt_gpt2_noprefix", "santacoder_custom"]) {
    const dir = goldenDir(name);
    const checkpoint = await openCheckpoint(dir);
    const names = [...checkpoint.weights.names()];
    expect(names.length, name).toBeGreaterThan(10);
    for (const tensor of names) {
      const { data } = checkpoint.weights.get(tensor)!.parts as {
        data: { file: string; offset: number; length: number };
      };
      const bytes = new Uint8Array(data.length);
      await checkpoint.weights.read(data, bytes);
      const whole = await readFile(data.file);
      expect(Buffer.compare(bytes, whole.subarray(data.offset, data.offset + data.length)), tensor).toBe(0);
    }
    await checkpoint.close();
  }
});

test("a config may begin with a byte order mark", async () => {
  const checkpoint = await openCheckpoint(await folder({ "config.json": '\uFEFF{"model_type":"llama"}' }));
  expect(checkpoint.config).toEqual({ model_type: "llama" });
  await checkpoint.close();
});

test("a config alone opens without weights", async () => {
  const checkpoint = await openCheckpoint(await folder({ "config.json": "{}" }));
  expect([...checkpoint.weights.names()]).toEqual([]);
  await checkpoint.close();
});

test("a folder of transformers.js lists its ONNX files", async () => {
  const path = await folder({ "config.json": '{"model_type":"gpt2"}', "tokenizer.json": "{}" });
  await mkdir(join(path, "onnx"));
  for (const name of ["model.onnx", "model_q4.onnx", "model.onnx_data"]) await writeFile(join(path, "onnx", name), "");
  const checkpoint = await openCheckpoint(path);
  expect(checkpoint.kind).toBe("transformersjs");
  expect(checkpoint.onnx).toEqual(["onnx/model.onnx", "onnx/model_q4.onnx"]);
  expect([...checkpoint.weights.names()]).toEqual([]);
  expect(checkpoint.files).toEqual(["config.json", "tokenizer.json"]);
  await checkpoint.close();
});

test("a folder with one GGUF file opens it, whether or not a config.json is beside it", async () => {
  const gguf = await readFile(new URL("../fixtures/gguf/olmo.gguf", import.meta.url));
  const besides: Record<string, string | Uint8Array>[] = [
    {},
    { "config.json": "{}" },
    { "config.json": "{}", "calibration.safetensors": two, "mmproj-x.gguf": "" },
  ];
  for (const beside of besides) {
    const checkpoint = await openCheckpoint(await folder({ "x.gguf": gguf, ...beside }));
    expect(checkpoint).toMatchObject({ kind: "gguf", config: { model_type: "olmo" } });
    await checkpoint.close();
  }
  await expect(openCheckpoint(await folder({ "x.gguf": gguf, "y.gguf": gguf }))).rejects.toMatchObject({
    code: "not-a-checkpoint",
    message: expect.stringMatching(/several models \(x\.gguf, y\.gguf\)/),
  });
});

test("a Git LFS pointer in place of the weights says how to get them", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
  const path = await folder({ "config.json": "{}", "model.safetensors": pointer });
  await expect(openCheckpoint(path)).rejects.toThrow(/Git LFS pointer, not the file itself; run: git lfs pull/);
});

test("any index and any config opens or is refused", async () => {
  const json = fc.oneof(
    fc.json(),
    fc
      .dictionary(
        fc.constantFrom("a", "b", "__proto__"),
        fc.oneof(fc.constant("x.safetensors"), fc.string(), fc.integer()),
      )
      .map((map) => JSON.stringify({ weight_map: map })),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string()), json, async (config, index) => {
      const path = await folder({ "config.json": config, "model.safetensors.index.json": index, "x.safetensors": two });
      const result = await openCheckpoint(path).catch((error) => error);
      if (result instanceof Error) expect(result, result.stack).toBeInstanceOf(CheckpointError);
      else await result.close();
    }),
    { numRuns: fuzzRuns(200) },
  );
});

test("one weight file opens with the config beside it", async () => {
  const path = await folder({ "config.json": "{}", "some.safetensors": two });
  const checkpoint = await openCheckpoint(join(path, "some.safetensors"));
  expect([...checkpoint.weights.names()]).toEqual(["a", "b"]);
  expect(checkpoint.folder).toBe(path);
  await checkpoint.close();
});

test.each([
  ["GPTQ's shards", "gptq_model-4bit-128g", "gptq_model-4bit-128g-0000X-of-00002.safetensors"],
  ["BLOOM's underscore", "model", "model_0000X-of-00002.safetensors"],
])("%s open, with their index and without", async (_, stem, pattern) => {
  const [first, second] = ["1", "2"].map((number) => pattern.replace("X", number)) as [string, string];
  const other = safetensorsFile({ c: { dtype: "F32", shape: [2], bytes: new Uint8Array(8) } });
  const shards = { "config.json": "{}", [first]: two, [second]: other };
  const map = index({ a: first, b: first, c: second });
  for (const files of [shards, { ...shards, [`${stem}.safetensors.index.json`]: map }]) {
    const path = await folder(files);
    for (const named of [path, join(path, second)]) {
      const checkpoint = await openCheckpoint(named);
      expect([...checkpoint.weights.names()].sort()).toEqual(["a", "b", "c"]);
      await checkpoint.close();
    }
  }
  const lone = await folder({ "config.json": "{}", [first]: two });
  for (const named of [lone, join(lone, first)])
    await expect(openCheckpoint(named)).rejects.toThrow("has weight shards of 2, but not number 2");
});

test("links are followed, so that spans point at the file that others can link to", async () => {
  const blobs = await folder({ blob: two });
  const path = await folder({ "config.json": "{}" });
  await symlink(join(blobs, "blob"), join(path, "model.safetensors"));
  const checkpoint = await openCheckpoint(path);
  expect(checkpoint.weights.get("a")!.parts.data!.file).toBe(join(blobs, "blob"));
  expect(checkpoint.describe().tensors[0]!.file).toBe("model.safetensors");
  await checkpoint.close();
});

test("a fingerprint is the same when nothing changed, and another when a file did", async () => {
  const path = await folder({ "config.json": "{}", "model.safetensors": two });
  const fingerprint = async () => {
    const checkpoint = await openCheckpoint(path);
    await checkpoint.close();
    return checkpoint.weights.fingerprint;
  };
  const before = await fingerprint();
  expect(await fingerprint()).toBe(before);
  await writeFile(
    join(path, "model.safetensors"),
    safetensorsFile({ a: { dtype: "U8", shape: [1], bytes: new Uint8Array(1) } }),
  );
  expect(await fingerprint()).not.toBe(before);
});

const index = (map: Record<string, string>) => JSON.stringify({ metadata: {}, weight_map: map });

test.each<[string, Record<string, string | Uint8Array>, string, RegExp]>([
  ["an empty folder", {}, "not-a-checkpoint", /no config\.json/],
  ["weights alone", { "model.safetensors": two }, "config-missing", /config\.json: does not exist/],
  ["a config that is not JSON", { "config.json": '{"a":}' }, "config-invalid", /config\.json: is not valid JSON/],
  ["a config that is a list", { "config.json": "[]" }, "config-invalid", /not a JSON object/],
  ["a config of nothing", { "config.json": "" }, "config-invalid", /config\.json: is not valid JSON/],
  [
    "a config that would colour the terminal",
    { "config.json": "\x1b[31m\0red" },
    "config-invalid",
    /is not valid JSON: [^\p{Cc}]*red[^\p{Cc}]*$/u,
  ],
  ["a config in UTF-16", { "config.json": Buffer.from("\uFEFF{}", "utf16le") }, "config-invalid", /not UTF-8/],
  ["a config that is no text", { "config.json": new Uint8Array([0x7b, 0xff]) }, "config-invalid", /not UTF-8/],
  [
    "several weight files",
    { "config.json": "{}", "x.safetensors": two, "y.safetensors": two },
    "not-a-checkpoint",
    /weight files of several models \(x\.safetensors, y\.safetensors\); name one/,
  ],
  [
    "an index naming a file that isn't there",
    { "config.json": "{}", "model.safetensors.index.json": index({ a: "gone.safetensors" }) },
    "file-missing",
    /gone\.safetensors: does not exist, but .*index\.json names it/,
  ],
  [
    "an index naming a file outside",
    { "config.json": "{}", "model.safetensors.index.json": index({ a: "../model.safetensors" }) },
    "path-escapes",
    /names the file "\.\.\/model\.safetensors"/,
  ],
  [
    "an index naming an absolute path",
    { "config.json": "{}", "model.safetensors.index.json": index({ a: "/etc/passwd" }) },
    "path-escapes",
    /\/etc\/passwd/,
  ],
  [
    "an index promising a tensor that its file lacks",
    {
      "config.json": "{}",
      "x.safetensors": two,
      "model.safetensors.index.json": index({ a: "x.safetensors", c: "x.safetensors" }),
    },
    "tensor-invalid",
    /x\.safetensors: tensor c: is not in x\.safetensors/,
  ],
  [
    "an index listing a tensor twice",
    {
      "config.json": "{}",
      "x.safetensors": two,
      "model.safetensors.index.json": '{"weight_map":{"a":"x.safetensors","a":"x.safetensors"}}',
    },
    "tensor-duplicate",
    /tensor a: is listed twice/,
  ],
  [
    "an index without a map",
    { "config.json": "{}", "model.safetensors.index.json": "{}" },
    "file-invalid",
    /weight_map/,
  ],
  [
    "a tensor in two shards",
    { "config.json": "{}", "model-00001-of-00002.safetensors": two, "model-00002-of-00002.safetensors": two },
    "tensor-duplicate",
    /tensor a: is in model-00001-of-00002\.safetensors too/,
  ],
  ["a missing shard", { "config.json": "{}", "model-00002-of-00002.safetensors": two }, "file-missing", /not number 1/],
])("%s is refused in one line", async (_, files, code, message) => {
  const error = await openCheckpoint(await folder(files)).then(
    () => undefined,
    (error) => error,
  );
  expect(CheckpointError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ code });
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain("\n");
});

test("no path and no checkpoint", async () => {
  await expect(openCheckpoint(join(root, "nothing"))).rejects.toMatchObject({ code: "not-found" });
  const path = await folder({ "notes.txt": "hello" });
  await expect(openCheckpoint(join(path, "notes.txt"))).rejects.toMatchObject({ code: "not-a-checkpoint" });
  await expect(openCheckpoint(join(path, "notes.txt", "in-it"))).rejects.toMatchObject({ code: "file-missing" });
});
