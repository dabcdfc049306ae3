import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { goldenDir } from "@llm/fixtures";
import { expect, test } from "vitest";
import { openCheckpoint } from "./open.ts";
import { floats } from "./testing/decode.ts";
import { valuesOf } from "./testing/weights-of.ts";

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));
const models = (await readdir(`${fixtures}/gguf`)).filter((name) => name !== "formats.gguf");

// What a checkpoint says about a tensor and what @llm/tensor makes of it are two packages' work; here they meet.

test.each([
  ...models.map((name) => `${fixtures}/gguf/${name}`),
  goldenDir("fmt_bin"),
  goldenDir("fmt_bin_legacy_gpt2"),
])("%s reads the same through @llm/tensor as by the plainest loop", async (path) => {
  const checkpoint = await openCheckpoint(path);
  for (const name of checkpoint.weights.names()) {
    const tensor = checkpoint.weights.get(name)!;
    if (!["f32", "f16", "bf16"].includes(tensor.format)) continue;
    const expected = Float32Array.from(await floats(checkpoint.weights, tensor));
    expect(await valuesOf(checkpoint.weights, name), name).toEqual(expected);
  }
  await checkpoint.close();
});

type Expected = Record<string, Record<string, { sha256: string }>>;
const quantised: Expected = JSON.parse(await readFile(`${fixtures}/quantised/expected.json`, "utf8"));

test.each(Object.keys(quantised))("%s dequantises through @llm/tensor to what numpy computes", async (name) => {
  const { weights, close } = await openCheckpoint(goldenDir(name));
  for (const [linear, { sha256 }] of Object.entries(quantised[name]!)) {
    const { buffer, byteOffset, byteLength } = await valuesOf(weights, linear);
    const hash = createHash("sha256").update(new Uint8Array(buffer, byteOffset, byteLength));
    expect(hash.digest("hex"), linear).toBe(sha256);
  }
  await close();
});
