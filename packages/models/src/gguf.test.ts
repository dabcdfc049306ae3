import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openCheckpoint } from "@llm/checkpoint";
import { ReferenceModel } from "@llm/core-ir";
import { readGoldenConfig } from "@llm/fixtures";
import { expect, it } from "vitest";
import { Config } from "./config.ts";
import { architectureFor } from "./registry.ts";
import { openGoldenFile } from "./testing/golden-model.ts";
import { unreadFields } from "./unread.ts";

// Golden models as the PyPI gguf package writes them, made by tooling/checkpoint/gguf_fixtures.py.

const folder = fileURLToPath(new URL("../../checkpoint/fixtures/gguf", import.meta.url));
const models = readdirSync(folder)
  .map((name) => name.replace(/\.gguf$/, ""))
  .filter((name) => name !== "formats");

/** What llama.cpp has in its code and no file says; read from the published models, whose numbers the tiny ones don't have. */
const UNSAID: Readonly<Record<string, readonly string[]>> = {
  gemma2: ["query_pre_attn_scalar"],
  gemma3_text: ["query_pre_attn_scalar"],
  cohere2: ["layer_types"],
  smollm3: ["no_rope_layers"],
  qwen3_moe: ["norm_topk_prob"],
  baichuan_13b: ["position"],
  baichuan2_7b: ["norm_head"],
  baichuan2_13b: ["position", "norm_head"],
  bloom_nonpow2: ["apply_residual_connection_post_layernorm"],
  mpt_qkln_wpe: ["logit_scale"],
  mpt_qkln_alibi_mqa: ["logit_scale"],
};

it.each(models)("%s leaves no field of the config that its metadata make unread", async (name) => {
  const { config: raw, weights, close } = await openCheckpoint(`${folder}/${name}.gguf`);
  const [config, architecture] = [new Config(raw), architectureFor(raw)];
  architecture.build(config, (tensor) => weights.get(tensor)?.shape);
  await close();
  expect(unreadFields(config, architecture)).toEqual([]);
});

it.each(models)("%s gives the golden logits from its GGUF file", async (name) => {
  const published = readGoldenConfig(name);
  const said = Object.fromEntries((UNSAID[name] ?? []).map((key) => [key, published[key]]));
  const { graph, weights, golden, arrays } = await openGoldenFile(name, `${folder}/${name}.gguf`, said);
  for (const [p, prompt] of golden.prompts.entries()) {
    const [{ logits }] = new ReferenceModel(graph, weights).step([{ slot: 0, at: 0, tokens: prompt.input_ids }]);
    const expected = arrays.get(`p${p}.logits`)!.data;
    expect(logits).toHaveLength(expected.length);
    const off = logits.map((value, i) => Math.abs(value - Number(expected[i])));
    expect(off.every((difference) => difference < 1e-3)).toBe(true);
  }
});
