import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Checkpoint } from "../checkpoint.ts";
import { openCheckpoint } from "../open.ts";
import { type GgufInput, type GgufTensorInput, ggufFile } from "../testing/gguf-file.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gguf-unread-"));
});
afterAll(() => rm(root, { recursive: true }));

type Entries = Readonly<Record<string, GgufInput>>;

/** A file's checkpoint, closed again; keys under `.` are under the architecture's name. */
async function opened(
  architecture: string,
  entries: Entries,
  tensors: Readonly<Record<string, GgufTensorInput>> = {},
): Promise<Checkpoint> {
  const all = {
    ".block_count": 1,
    ".embedding_length": 8,
    ".context_length": 64,
    ".attention.head_count": 1,
    ".vocab_size": 8,
    ...entries,
  };
  const named = Object.entries(all).map(([key, value]) => [key.replace(/^\./, `${architecture}.`), value]);
  const path = join(root, "model.gguf");
  await writeFile(path, ggufFile({ "general.architecture": architecture, ...Object.fromEntries(named) }, tensors));
  const checkpoint = await openCheckpoint(path);
  await checkpoint.close();
  return checkpoint;
}

const float = (value: number): GgufInput => ({ f32: value });

describe("what GGUF metadata say", () => {
  const folder = fileURLToPath(new URL("../../fixtures/gguf", import.meta.url));

  test("is read to the last key of every fixture", async () => {
    for (const name of await readdir(folder)) {
      const checkpoint = await openCheckpoint(join(folder, name)).catch(() => undefined);
      expect(checkpoint?.unread ?? [], name).toEqual([]);
      await checkpoint?.close();
    }
  });

  test("and no config holds is told, but for what decides nothing", async () => {
    const entries = { ".router_logit_softcapping": 30, ".pooling_type": 1, ".expert_group_scale": 0, "other.key": 1 };
    expect((await opened("llama", entries)).unread).toEqual(["llama.router_logit_softcapping"]);
  });

  test("of a window makes an olmo2 another model", async () => {
    expect((await opened("olmo2", {})).config.model_type).toBe("olmo2");
    await expect(opened("olmo2", { ".attention.sliding_window": 4096 })).rejects.toThrow(/is an OLMo 3/);
  });

  test("of a window of 0 is that there is none", async () => {
    const window = { ".attention.sliding_window": 0 };
    expect((await opened("llama", window)).config.model_type).toBe("llama");
    for (const architecture of ["phi3", "starcoder2"])
      expect((await opened(architecture, window)).config.sliding_window, architecture).toBeNull();
  });

  test("of a model that looks ahead is refused", async () => {
    await expect(opened("llama", { ".attention.causal": false })).rejects.toThrow(/attention\.causal is false/);
  });

  test("of how many dimensions turn reaches the config", async () => {
    expect((await opened("llama", { ".rope.dimension_count": 4 })).config.partial_rotary_factor).toBe(0.5);
    expect((await opened("llama", { ".rope.dimension_count": 8 })).config).not.toHaveProperty("partial_rotary_factor");
  });

  test.each([
    ["qwen3moe", true],
    ["qwen2moe", false],
  ])("of a router's weights reaches the config: %s", async (architecture, usual) => {
    const experts = {
      ".expert_count": 2,
      ".expert_used_count": 1,
      ".expert_feed_forward_length": 8,
      ".expert_shared_feed_forward_length": 8,
    };
    const normed = async (more: Entries) => (await opened(architecture, { ...experts, ...more })).config.norm_topk_prob;
    expect(await normed({})).toBe(usual);
    expect(await normed({ ".expert_weights_norm": !usual })).toBe(!usual);
  });

  test("nothing of, llama.cpp has in its code: Gemma 2's caps", async () => {
    const { config } = await opened("gemma2", { ".attention.key_length": 8 });
    expect(config).toMatchObject({ attn_logit_softcapping: 50, final_logit_softcapping: 30, sliding_window: 4096 });
  });

  test("of ALiBi that no Jais has is refused", async () => {
    await expect(opened("jais", { ".attention.max_alibi_bias": float(16) })).rejects.toThrow(/ALiBi up to 16/);
  });
});

describe("rope scaling", () => {
  const factors = (...values: number[]) => {
    const bytes = new Uint8Array(new Float32Array(values).buffer);
    return { shape: [values.length], type: 0, bytes };
  };
  const both = {
    "rope_factors_long.weight": factors(2, 3, 4, 5),
    "rope_factors_short.weight": factors(1, 1, 1, 2),
  };
  const long = { rope_type: "longrope", type: "longrope", long_factor: [2, 3, 4, 5], short_factor: [1, 1, 1, 2] };

  test("with two sets of factors says from which length on the longer holds, whatever the architecture", async () => {
    const { config } = await opened("llama", { ".rope.scaling.original_context_length": 16 }, both);
    expect(config.rope_scaling).toEqual({ ...long, original_max_position_embeddings: 16 });
  });

  test("says a factor on queries and keys that is not what lengths amount to", async () => {
    const original = { ".rope.scaling.original_context_length": 16, ".rope.scaling.type": "longrope" };
    const attention = async (value: number) =>
      (await opened("llama", { ...original, ".rope.scaling.attn_factor": float(value) }, both)).config.rope_scaling;
    expect(await attention(Math.sqrt(1.5))).not.toHaveProperty("attention_factor");
    expect(await attention(1.25)).toMatchObject({ attention_factor: 1.25 });
  });

  test("by YaRN has its own factor besides the file's", async () => {
    const yarn = { ".rope.scaling.type": "yarn", ".rope.scaling.factor": float(4) };
    const scaling = async (more: Entries) => (await opened("llama", { ...yarn, ...more })).config.rope_scaling;
    expect(await scaling({ ".rope.scaling.attn_factor": float(1) })).not.toHaveProperty("attention_factor");
    const { attention_factor } = (await scaling({ ".rope.scaling.attn_factor": float(0.5) })) as Record<string, number>;
    expect(attention_factor).toBeCloseTo(0.5 * (1 + 0.1 * Math.log(4)), 6);
  });
});
