import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { safetensorsFile } from "../testing/safetensors-file.ts";
import { openAdapter } from "./open-adapter.ts";

// The fixture is saved by torch, as PEFT saved adapters before its version 0.7: tooling/checkpoint/torch_fixtures.py.
const fixture = fileURLToPath(new URL("../../fixtures/adapter", import.meta.url));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "adapter-"));
});
afterAll(() => rm(root, { recursive: true }));

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const module = "base_model.model.model.layers.0.self_attn.q_proj";
const other = safetensorsFile({
  [`${module}.lora_A.weight`]: { dtype: "F32", shape: [1, 3], bytes: floats(7, 8, 9) },
  [`${module}.lora_B.weight`]: { dtype: "F32", shape: [4, 1], bytes: floats(1, 2, 3, 4) },
});

test("an adapter in a pickle is read", async () => {
  const { modules } = await openAdapter(fixture);
  expect(modules).toEqual([
    {
      module: "model.layers.0.self_attn.q_proj",
      a: { dtype: "f32", shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
      b: { dtype: "f32", shape: [4, 2], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75) },
      scale: 1.5,
    },
  ]);
});

test("beside a pickle safetensors count", async () => {
  const folder = join(root, "both");
  await cp(fixture, folder, { recursive: true });
  await writeFile(join(folder, "adapter_model.safetensors"), other);
  const { modules } = await openAdapter(folder);
  expect(modules[0]!.a.data).toEqual(Float32Array.of(7, 8, 9));
});

test("a folder without weights says which names it looked for", async () => {
  const folder = join(root, "none");
  await cp(fixture, folder, { recursive: true });
  await rm(join(folder, "adapter_model.bin"));
  await expect(openAdapter(folder)).rejects.toMatchObject({
    code: "file-missing",
    message: expect.stringMatching(/none: holds neither adapter_model\.safetensors nor adapter_model\.bin/),
  });
});
