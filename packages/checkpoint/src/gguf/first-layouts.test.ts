import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../open.ts";
import { floats } from "../testing/decode.ts";
import { type GgufInput, type GgufTensorInput, ggufFile } from "../testing/gguf-file.ts";

// Files of an architecture's first months have one thing or another in a layout that converters have since given up.

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gguf-first-"));
});
afterAll(() => rm(root, { recursive: true }));

const HEADS = 2;
const WIDTH = 8;
const size = (shape: readonly number[]) => shape.reduce((product, axis) => product * axis, 1);

/** A float32 tensor that counts from `from`. */
function counting(from: number, ...shape: number[]): GgufTensorInput {
  const values = Float32Array.from({ length: size(shape) }, (_, i) => from + i);
  return { shape, type: 0, bytes: new Uint8Array(values.buffer) };
}

type Tensors = Readonly<Record<string, GgufTensorInput>>;

/** All tensors under their published names, with shapes and values. */
async function published(architecture: string, more: Readonly<Record<string, GgufInput>>, tensors: Tensors) {
  const metadata = {
    "general.architecture": architecture,
    [`${architecture}.block_count`]: 1,
    [`${architecture}.embedding_length`]: WIDTH,
    [`${architecture}.context_length`]: 16,
    [`${architecture}.feed_forward_length`]: 3,
    [`${architecture}.attention.head_count`]: HEADS,
    ...more,
  };
  const path = join(root, "model.gguf");
  await writeFile(path, ggufFile(metadata, { "token_embd.weight": counting(0, 5, WIDTH), ...tensors }));
  const checkpoint = await openCheckpoint(path);
  const found: Record<string, unknown> = {};
  for (const name of checkpoint.weights.names()) {
    const stored = checkpoint.weights.get(name)!;
    found[name] = { shape: stored.shape, values: await floats(checkpoint.weights, stored) };
  }
  await checkpoint.close();
  return found;
}

test("Mixtral's experts may be a tensor each", async () => {
  const experts = { "llama.expert_count": 2, "llama.expert_used_count": 1 };
  const names = ["ffn_gate", "ffn_up", "ffn_down"];
  const stacked = names.map((name, i) => [`blk.0.${name}_exps.weight`, counting(100 * i, 2, 3, WIDTH)] as const);
  const apart = names.flatMap((name, i) =>
    [0, 1].map((e) => [`blk.0.${name}.${e}.weight`, counting(100 * i + e * 3 * WIDTH, 3, WIDTH)] as const),
  );
  const later = await published("llama", experts, Object.fromEntries(stacked));
  expect(Object.keys(later)).toContain("model.layers.0.block_sparse_moe.experts.1.w2.weight");
  expect(await published("llama", experts, Object.fromEntries(apart))).toEqual(later);
});

test("Phi-2's projections may be one tensor", async () => {
  const rows = HEADS * (WIDTH / HEADS);
  const apart = Object.fromEntries(
    ["q", "k", "v"].flatMap((name, i) => [
      [`blk.0.attn_${name}.weight`, counting(i * rows * WIDTH, rows, WIDTH)],
      [`blk.0.attn_${name}.bias`, counting(i * rows, rows)],
    ]),
  );
  const together = {
    "blk.0.attn_qkv.weight": counting(0, 3 * rows, WIDTH),
    "blk.0.attn_qkv.bias": counting(0, 3 * rows),
  };
  const later = await published("phi2", {}, apart);
  expect(Object.keys(later)).toContain("model.layers.0.self_attn.k_proj.bias");
  expect(await published("phi2", {}, together)).toEqual(later);
});

test("a fused projection whose rows no heads share is refused", async () => {
  const uneven = { "blk.0.attn_qkv.weight": counting(0, 3 * WIDTH + 1, WIDTH) };
  await expect(published("phi2", {}, uneven)).rejects.toThrow(/attn_qkv.*doesn't fit the model's heads/);
});
