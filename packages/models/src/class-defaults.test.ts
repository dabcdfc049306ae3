import { goldenNames } from "@llm/fixtures";
import { describe, expect, it } from "vitest";
import { Config } from "./config.ts";
import { ModelError } from "./error.ts";
import { architectureFor } from "./registry.ts";
import { goldenConfig } from "./testing/golden-model.ts";

// What the classes of transformers 5.23 have for fields that a config leaves out and no tensor's shape gives away.
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  codegen: { rotary_dim: 64 },
  cohere: { rope_theta: 500_000, max_position_embeddings: 8192, logit_scale: 0.0625 },
  cohere2: { sliding_window: 4096, max_position_embeddings: 8192, logit_scale: 0.0625 },
  deepseek_v3: {
    n_group: 8,
    topk_group: 4,
    routed_scaling_factor: 2.5,
    norm_topk_prob: true,
    max_position_embeddings: 4096,
  },
  exaone4: { sliding_window: 4096, sliding_window_pattern: 4 },
  gemma: { max_position_embeddings: 8192 },
  gemma2: {
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    query_pre_attn_scalar: 256,
    sliding_window: 4096,
    max_position_embeddings: 8192,
  },
  glm: { attention_bias: true },
  glm4: { attention_bias: true },
  gptj: { rotary_dim: 64 },
  mistral: { sliding_window: 4096, max_position_embeddings: 131_072, rms_norm_eps: 1e-6 },
  mixtral: { sliding_window: null, rope_theta: 1e6, max_position_embeddings: 131_072 },
  phi3: { original_max_position_embeddings: 4096, max_position_embeddings: 4096 },
  qwen2: { max_position_embeddings: 32_768 },
  qwen2_moe: { max_position_embeddings: 32_768 },
  qwen3: { max_position_embeddings: 32_768 },
  qwen3_moe: { max_position_embeddings: 32_768 },
  stablelm: { max_position_embeddings: 4096 },
};

type Raw = Readonly<Record<string, unknown>>;

/** A graph as text, or that the config is refused. */
function outcome(raw: Raw): string {
  try {
    return JSON.stringify(architectureFor(raw).build(new Config(raw)));
  } catch (error) {
    if (ModelError.isInstance(error)) return error.message;
    throw error;
  }
}

/** A golden config in the older generation of keys, whose fields stand by themselves. */
function configsOf(type: string): Raw[] {
  const configs = goldenNames().flatMap((name) => [
    goldenConfig(name, "config.legacy.json") ?? goldenConfig(name, "config.json"),
  ]);
  return configs.flatMap((config) => (config?.raw.model_type === type ? [config.raw] : []));
}

const fields = Object.entries(DEFAULTS).flatMap(([type, values]) =>
  Object.entries(values).map(([key, value]) => [type, key, value] as const),
);

describe("a field that is left out", () => {
  it.each(fields)("is the published class's own: %s %s = %j", (type, key, value) => {
    const trimmed = configsOf(type).map((config) => {
      const { [key]: _, rope_parameters, ...less } = config;
      return key === "rope_theta" || rope_parameters === undefined ? less : { ...less, rope_parameters };
    });
    // A scaling that depends on the length must be told it.
    const whole = trimmed.filter((raw) => !outcome(raw).endsWith("field max_position_embeddings is missing"));
    expect(whole.length).toBeGreaterThan(0);
    for (const raw of whole) expect(outcome(raw)).toBe(outcome({ ...raw, [key]: value }));
  });

  it.each([
    ["mistral", "sliding_window"],
    ["gemma2", "attn_logit_softcapping"],
    ["gemma2", "final_logit_softcapping"],
    ["exaone4", "sliding_window"],
  ])("differs from one that is null, which says that there is none: %s %s", (type, key) => {
    for (const config of configsOf(type)) {
      const { [key]: _, ...less } = config;
      expect(outcome({ ...less, [key]: null })).not.toBe(outcome(less));
    }
  });
});
