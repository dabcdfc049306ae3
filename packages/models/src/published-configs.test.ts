import { type Harmless, leavesOf } from "@llm/tensor";
import { describe, expect, it } from "vitest";
import { harmlessOf } from "./architecture.ts";
import { Config } from "./config.ts";
import { architectureFor } from "./registry.ts";
import { goldenConfig } from "./testing/golden-model.ts";
import { unreadFields } from "./unread.ts";

type Raw = Readonly<Record<string, unknown>>;

const graphOf = (raw: Raw) => architectureFor(raw).build(new Config(raw));

/** The shapes of all tensors that a config asks for; those with several names are under the first. */
function tensorsOf(raw: Raw): Map<string, string> {
  const leaves = graphOf(raw).weights.flatMap(({ expr }) => leavesOf(expr));
  return new Map(leaves.map(({ name, shape }) => [name, shape.join("x")]));
}

const golden = (name: string) => goldenConfig(name, "config.json")!.raw;

describe("Gemma 3 with pictures", () => {
  const wrapper = {
    architectures: ["Gemma3ForConditionalGeneration"],
    boi_token_index: 255_999,
    eoi_token_index: 256_000,
    eos_token_id: [1, 106],
    image_token_index: 262_144,
    initializer_range: 0.02,
    mm_tokens_per_image: 256,
    model_type: "gemma3",
    torch_dtype: "bfloat16",
    transformers_version: "4.50.0.dev0",
    vision_config: { hidden_size: 1152, model_type: "siglip_vision_model", num_hidden_layers: 27 },
  };
  const rope = { rope_scaling: { factor: 8.0, rope_type: "linear" } };
  /** As the text model is published by itself. */
  const alone = {
    attention_bias: false,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    head_dim: 256,
    hidden_activation: "gelu_pytorch_tanh",
    max_position_embeddings: 131_072,
    model_type: "gemma3_text",
    query_pre_attn_scalar: 256,
    rms_norm_eps: 1e-6,
    rope_local_base_freq: 10_000,
    rope_theta: 1_000_000,
    sliding_window: 1024,
    sliding_window_pattern: 6,
    vocab_size: 262_208,
    ...rope,
  };
  const small = { hidden_size: 2560, intermediate_size: 10_240, num_hidden_layers: 34, sliding_window: 1024, ...rope };
  const middle = {
    hidden_size: 3840,
    intermediate_size: 15_360,
    num_attention_heads: 16,
    num_hidden_layers: 48,
    num_key_value_heads: 8,
    sliding_window: 1024,
    ...rope,
  };
  const wrapped = (text: Raw) => ({ ...wrapper, text_config: { model_type: "gemma3_text", ...text } });

  it("says only where it differs from what the class assumes (4B, 12B)", () => {
    expect(graphOf(wrapped(small))).toEqual(
      graphOf({ ...alone, ...small, num_attention_heads: 8, num_key_value_heads: 4 }),
    );
    expect(graphOf(wrapped(middle))).toEqual(graphOf({ ...alone, ...middle }));
  });

  it("has the shapes of the published tensors (4B), and leaves no field of its config unread", () => {
    const tensors = tensorsOf(wrapped(small));
    expect(tensors.get("language_model.model.embed_tokens.weight")).toBe("262208x2560");
    expect(tensors.get("language_model.model.layers.0.self_attn.q_proj.weight")).toBe("2048x2560");
    expect(tensors.get("language_model.model.layers.33.self_attn.k_proj.weight")).toBe("1024x2560");
    const config = new Config(wrapped(small));
    const architecture = architectureFor(config.raw);
    architecture.build(config);
    expect(unreadFields(config, architecture)).toEqual([]);
  });
});

describe("Falcon 40B in its first layout", () => {
  const published = {
    alibi: false,
    apply_residual_connection_post_layernorm: false,
    architectures: ["RWForCausalLM"],
    attention_dropout: 0.0,
    bias: false,
    bos_token_id: 11,
    eos_token_id: 11,
    hidden_dropout: 0.0,
    hidden_size: 8192,
    initializer_range: 0.02,
    layer_norm_epsilon: 1e-5,
    model_type: "RefinedWeb",
    n_head: 128,
    n_head_kv: 8,
    n_layer: 60,
    parallel_attn: true,
    vocab_size: 65_024,
  };

  it("is the model that the newer keys say", () => {
    const { n_head, n_head_kv, n_layer, ...same } = published;
    const newer = { model_type: "falcon", new_decoder_architecture: true, num_attention_heads: n_head };
    expect(graphOf(published)).toEqual(
      graphOf({ ...same, ...newer, num_kv_heads: n_head_kv, num_hidden_layers: n_layer }),
    );
    const tensors = tensorsOf(published);
    expect(tensors.get("transformer.h.59.self_attention.query_key_value.weight")).toBe("9216x8192");
    expect(tensors.has("transformer.h.0.ln_mlp.weight")).toBe(true);
  });

  it("is not taken for what the 7B of that time is", () => {
    const { n_head_kv, ...rest } = published;
    const seven = {
      ...rest,
      model_type: "RefinedWebModel",
      hidden_size: 4544,
      multi_query: true,
      n_head: 71,
      n_layer: 32,
    };
    expect(tensorsOf(seven).get("transformer.h.0.self_attention.query_key_value.weight")).toBe("4672x4544");
  });

  it("is not taken for what RW is", () => {
    const { new_decoder_architecture: _, ...rw } = golden("falcon_rw");
    expect(rw).toMatchObject({ multi_query: false, alibi: true, parallel_attn: false });
    expect(graphOf({ ...rw, model_type: "RefinedWeb" })).toEqual(graphOf(rw));
  });
});

describe("Command R", () => {
  it("reads as far as it was trained for (v01, Plus), not as its first tables were cut", () => {
    const lengths = { max_position_embeddings: 8192, model_max_length: 131_072 };
    const config = new Config({ ...golden("cohere"), ...lengths });
    const architecture = architectureFor(config.raw);
    expect(architecture.build(config).dims.context).toMatchObject({ max: 131_072 });
    expect(unreadFields(config, architecture)).toEqual([]);
    const { model_max_length: _, ...later } = lengths;
    expect(graphOf({ ...golden("cohere"), ...later }).dims.context).toMatchObject({ max: 8192 });
  });
});

describe("MPT", () => {
  const mpt = golden("mpt");

  it("has ALiBi unless its config says otherwise", () => {
    const { attn_config, ...bare } = mpt;
    expect((attn_config as Raw).alibi).toBe(true);
    expect(graphOf(bare)).toEqual(graphOf(mpt));
    expect(graphOf({ ...bare, attn_config: {} })).toEqual(graphOf(mpt));
    expect(tensorsOf({ ...bare, attn_config: { alibi: false } }).has("transformer.wpe.weight")).toBe(true);
  });

  it.each([
    { ffn_config: { ffn_type: "mptmlp", fc_type: "torch" }, fc_type: "torch" },
    { ffn_config: { ffn_type: "mptmlp", fc_type: { name: "torch" } } },
  ])("may say that its MLP is the plain one: %j", (fields) => {
    expect(graphOf({ ...mpt, ...fields })).toEqual(graphOf(mpt));
  });

  it("is refused with another MLP, by its name", () => {
    expect(() => graphOf({ ...mpt, ffn_config: { ffn_type: "mptglu" } })).toThrow(
      'config.json: ffn_config.ffn_type is "mptglu", which is not supported; supported: "mptmlp"',
    );
  });
});

describe("DeepSeek V3", () => {
  const deepseek = golden("deepseek_v3");
  const excused = (rules: readonly Harmless[], name: string) =>
    rules.some(({ match }) => (typeof match === "string" ? match === name : match.test(name)));

  it("may hold a whole layer more, which predicts further tokens", () => {
    const layers = deepseek.num_hidden_layers as number;
    const rules = harmlessOf(architectureFor(deepseek), new Config(deepseek));
    for (const name of ["eh_proj.weight", "self_attn.o_proj.weight", "mlp.experts.7.up_proj.weight"]) {
      expect(excused(rules, `model.layers.${layers}.${name}`)).toBe(true);
      expect(excused(rules, `model.layers.${layers - 1}.${name}`)).toBe(false);
      expect(excused(rules, `model.layers.${layers}0.${name}`)).toBe(false);
    }
    const more = { ...deepseek, num_nextn_predict_layers: 2 };
    const rulesOfMore = harmlessOf(architectureFor(more), new Config(more));
    expect(excused(rules, `model.layers.${layers + 1}.enorm.weight`)).toBe(false);
    expect(excused(rulesOfMore, `model.layers.${layers + 1}.enorm.weight`)).toBe(true);
  });

  it("takes scale and frequencies from the same scaling, whichever field has it", () => {
    const { rope_parameters: _, ...bare } = deepseek;
    const yarn = { mscale: 1, mscale_all_dim: 1, original_max_position_embeddings: 32, type: "yarn" };
    const older = graphOf({ ...bare, rope_scaling: { ...yarn, factor: 4 } });
    expect(graphOf({ ...deepseek, rope_scaling: { ...yarn, factor: 4 } })).toEqual(older);
    expect(graphOf({ ...deepseek, rope_scaling: { ...yarn, factor: 2 } })).not.toEqual(older);
    // Without a factor it is how much longer the context became.
    const stretched = (deepseek.max_position_embeddings as number) / 32;
    expect(graphOf({ ...bare, rope_scaling: yarn })).toEqual(
      graphOf({ ...bare, rope_scaling: { ...yarn, factor: stretched } }),
    );
  });

  it.each(["linear", "dynamic"])("may have the scaling %s", (type) => {
    const { rope_parameters: _, ...bare } = deepseek;
    expect(graphOf({ ...bare, rope_scaling: { type, factor: 2 } })).not.toEqual(graphOf(bare));
  });
});
