import { expect, it } from "vitest";
import { Config } from "./config.ts";
import { architectureFor } from "./registry.ts";
import { goldenConfig } from "./testing/golden-model.ts";
import { unreadFields } from "./unread.ts";

/** Fields that published configs have besides those of the golden ones, word for word: a warning at each of them is read by nobody. */
const PUBLISHED: readonly (readonly [model: string, golden: string, fields: Readonly<Record<string, unknown>>])[] = [
  [
    "StarCoder",
    "gpt_bigcode_mqa",
    {
      attention_softmax_in_fp32: true,
      inference_runner: 0,
      max_batch_size: null,
      max_sequence_length: null,
      pad_key_length: true,
      pre_allocate_kv_cache: false,
      scale_attention_softmax_in_fp32: true,
      validate_runner_input: true,
    },
  ],
  [
    "CodeGen",
    "codegen",
    { gradient_checkpointing: false, n_ctx: 2048, scale_attn_weights: true, tokenizer_class: "GPT2Tokenizer" },
  ],
  [
    "GPT-J",
    "gptj",
    {
      gradient_checkpointing: false,
      rotary: true,
      scale_attn_weights: true,
      task_specific_params: { "text-generation": { do_sample: true, max_length: 50, temperature: 1.0 } },
      tokenizer_class: "GPT2Tokenizer",
    },
  ],
  ["GPT-Neo", "gpt_neo", { gradient_checkpointing: false, tokenizer_class: "GPT2Tokenizer" }],
  ["Phi-4-mini", "phi3", { full_attn_mod: 1, interpolate_factor: 1, lm_head_bias: false, mlp_bias: false }],
  ["GPT-NeoX 20B", "gpt_neox", { attention_probs_dropout_prob: 0, hidden_dropout_prob: 0 }],
  [
    "Dolly",
    "gpt_neox",
    {
      custom_pipelines: {
        "text-generation": { impl: "instruct_pipeline.InstructionTextGenerationPipeline", pt: "AutoModelForCausalLM" },
      },
      gradient_checkpointing: false,
    },
  ],
  ["ChatGLM 3", "chatglm2", { interleaved_qkv: false, original_rope: true, pre_seq_len: null, quantization_bit: 0 }],
  ["Baichuan", "baichuan_7b", { _from_model_config: true, tokenizer_class: "BaiChuanTokenizer" }],
  ["Baichuan 2", "baichuan2_7b", { _from_model_config: true, tokenizer_class: "BaichuanTokenizer", z_loss_weight: 0 }],
  ["DistilGPT-2", "gpt2", { _num_labels: 1, n_ctx: 1024, output_past: true }],
  [
    "BLOOM",
    "bloom",
    {
      attention_softmax_in_fp32: true,
      bias_dropout_fusion: true,
      masked_softmax_fusion: true,
      n_inner: null,
      offset_alibi: 100,
      pretraining_tp: 4,
      skip_bias_add: true,
      skip_bias_add_qkv: false,
      slow_but_exact: false,
    },
  ],
  ["OPT", "opt", { activation_dropout: 0, prefix: "</s>", layerdrop: 0 }],
  [
    "MPT",
    "mpt",
    {
      embedding_fraction: 1.0,
      init_device: "cpu",
      tokenizer_name: "EleutherAI/gpt-neox-20b",
      verbose: 0,
      init_config: { init_div_is_residual: true, name: "kaiming_normal_", verbose: 0 },
    },
  ],
  ["Mixtral", "mixtral", { output_router_logits: false, router_aux_loss_coef: 0.02 }],
  [
    "DeepSeek-V3",
    "deepseek_v3",
    { ep_size: 1, seq_aux: true, aux_loss_alpha: 0.001, scoring_func: "sigmoid", topk_method: "noaux_tc" },
  ],
  ["StarCoder2", "starcoder2", { embedding_dropout: 0.1, residual_dropout: 0.1, layer_norm_epsilon: 1e-5 }],
  ["Qwen2.5", "qwen2", { max_window_layers: 21, sliding_window: 32_768, use_sliding_window: false }],
];

it.each(PUBLISHED)("%s is opened without a word about its fields", (_, golden, fields) => {
  const raw = { ...goldenConfig(golden, "config.json")!.raw, ...fields };
  const [config, architecture] = [new Config(raw), architectureFor(raw)];
  architecture.build(config);
  expect(unreadFields(config, architecture)).toEqual([]);
});

it.each([
  ["phi3", { mlp_bias: true }],
  ["phi3", { lm_head_bias: true }],
  ["chatglm2", { interleaved_qkv: true }],
  ["chatglm2", { quantization_bit: 4 }],
])("but %s with %j is refused", (golden, fields) => {
  const raw = { ...goldenConfig(golden, "config.json")!.raw, ...fields };
  expect(() => architectureFor(raw).build(new Config(raw))).toThrow(/is (true|4), which is not supported/);
});
