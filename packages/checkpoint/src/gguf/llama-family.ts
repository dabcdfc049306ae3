import type { JsonObject } from "../json.ts";
import {
  type Change,
  type GgufArchitecture,
  type ModelShape,
  plusOne,
  projections,
  rotatedRows,
  unstacked,
} from "./architecture.ts";
import type { Metadata } from "./metadata.ts";
import {
  FUSED_MLP,
  GATED_MLP,
  LLAMA,
  LLAMA_ATTENTION,
  LLAMA_ENDS,
  type Names,
  POST_NORMS,
  PRE_NORMS,
  QK_NORM,
  QWEN_EXPERTS,
} from "./names.ts";

/** Config fields of the models that call things as llama does. */
export function llamaConfig(model: ModelShape, modelType: string, architecture: string): JsonObject {
  return {
    model_type: modelType,
    architectures: [architecture],
    vocab_size: model.vocab,
    hidden_size: model.width,
    intermediate_size: model.inner,
    num_hidden_layers: model.blocks,
    num_attention_heads: model.heads,
    num_key_value_heads: model.kvHeads,
    head_dim: model.headDim,
    max_position_embeddings: model.context,
    rope_theta: model.ropeTheta,
    rope_scaling: model.ropeScaling,
    ...(model.ropeDims === model.headDim ? {} : partialRotary(model)),
    tie_word_embeddings: model.tied,
  };
}

const rms = ({ normEps }: ModelShape): JsonObject => ({ rms_norm_eps: normEps, hidden_act: "silu" });
const layer = ({ normEps }: ModelShape): JsonObject => ({ layer_norm_eps: normEps, hidden_act: "silu" });

const rotatedQk = ({ heads, kvHeads }: ModelShape): Record<string, Change> => ({
  "blk.{n}.attn_q": rotatedRows(heads),
  "blk.{n}.attn_k": rotatedRows(kvHeads),
});

const experts: Readonly<Record<string, Change>> = {
  "blk.{n}.ffn_gate_exps": unstacked,
  "blk.{n}.ffn_up_exps": unstacked,
  "blk.{n}.ffn_down_exps": unstacked,
};

/** Bias of attention and of the feed-forward part: not in the metadata, so the tensors tell. */
const biases = ({ has }: ModelShape): JsonObject => ({
  attention_bias: has("blk.0.attn_q.bias"),
  mlp_bias: has("blk.0.ffn_up.bias"),
});

/** Weights of a layer norm that multiplies by 1 + w; its bias is as published. */
const lessOne: Change = (tensor) => (tensor.name.endsWith(".bias") ? [tensor] : plusOne(tensor));

const partialRotary = ({ ropeDims, headDim }: ModelShape): JsonObject => ({
  partial_rotary_factor: ropeDims / headDim,
});

/** Blocks whose feed-forward part is not a mixture of experts. */
function denseBlocks({ blocks, has }: ModelShape): number[] {
  return Array.from({ length: blocks }, (_, n) => n).filter((n) => !has(`blk.${n}.ffn_gate_exps.weight`));
}

const MIXTRAL: Names = {
  "blk.{n}.ffn_gate_inp": "model.layers.{n}.block_sparse_moe.gate",
  "blk.{n}.ffn_gate_exps": "model.layers.{n}.block_sparse_moe.experts.{e}.w1",
  "blk.{n}.ffn_down_exps": "model.layers.{n}.block_sparse_moe.experts.{e}.w2",
  "blk.{n}.ffn_up_exps": "model.layers.{n}.block_sparse_moe.experts.{e}.w3",
  // One tensor an expert, as in the first months of the architecture.
  "blk.{n}.ffn_gate.{e}": "model.layers.{n}.block_sparse_moe.experts.{e}.w1",
  "blk.{n}.ffn_down.{e}": "model.layers.{n}.block_sparse_moe.experts.{e}.w2",
  "blk.{n}.ffn_up.{e}": "model.layers.{n}.block_sparse_moe.experts.{e}.w3",
};

const llama: GgufArchitecture = {
  names: { ...LLAMA, ...MIXTRAL },
  changes: (model) => ({ ...rotatedQk(model), ...experts }),
  config: (model, metadata) => {
    const count = metadata.number("{arch}.expert_count") ?? 0;
    const window = metadata.number("{arch}.attention.sliding_window") || undefined;
    const attention: JsonObject = window === undefined ? {} : { sliding_window: window };
    if (count > 0)
      return {
        ...llamaConfig(model, "mixtral", "MixtralForCausalLM"),
        ...rms(model),
        ...attention,
        num_local_experts: count,
        num_experts_per_tok: metadata.required("{arch}.expert_used_count"),
      };
    if (window !== undefined)
      return { ...llamaConfig(model, "mistral", "MistralForCausalLM"), ...rms(model), ...attention };
    return { ...llamaConfig(model, "llama", "LlamaForCausalLM"), ...rms(model), ...biases(model) };
  },
};

function qwenExperts(metadata: Metadata, model: ModelShape): JsonObject {
  return {
    num_experts: metadata.required("{arch}.expert_count"),
    num_experts_per_tok: metadata.required("{arch}.expert_used_count"),
    moe_intermediate_size: metadata.sizeOf("{arch}.expert_feed_forward_length", "ffn_gate_exps", 1), // (expert, inner, width)
    decoder_sparse_step: 1,
    mlp_only_layers: denseBlocks(model),
  };
}

const gemmaNorms: readonly string[] = [
  "output_norm",
  ...["attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm", "attn_q_norm", "attn_k_norm"].map(
    (name) => `blk.{n}.${name}`,
  ),
];
const gemmaChanges = (): Record<string, Change> => Object.fromEntries(gemmaNorms.map((name) => [name, plusOne]));

const SANDWICH: Names = {
  ...LLAMA_ENDS,
  ...LLAMA_ATTENTION,
  ...QK_NORM,
  ...GATED_MLP,
  ...POST_NORMS,
  "blk.{n}.attn_norm": "model.layers.{n}.input_layernorm",
  "blk.{n}.ffn_norm": "model.layers.{n}.pre_feedforward_layernorm",
};

/**
 * Gemma scales queries by a number of its own, which files seldom have; as in llama.cpp, the two models where it isn't the head's
 * size are known by their number of blocks.
 */
function queryScalar({ blocks, width, heads, headDim }: ModelShape, metadata: Metadata, exceptional: number): number {
  const scale = metadata.number("{arch}.attention.scale");
  if (scale !== undefined) return Number((1 / scale ** 2).toPrecision(6));
  return blocks === exceptional ? width / heads : headDim;
}

const gemmaConfig = (model: ModelShape): JsonObject => ({
  rms_norm_eps: model.normEps,
  hidden_act: "gelu_pytorch_tanh",
  hidden_activation: "gelu_pytorch_tanh",
  tie_word_embeddings: model.tied,
});

/** Some blocks attend to a window only: GGUF lists which, or has every n-th without one, or leaves n to the code. */
async function windowed(metadata: Metadata, usual: number): Promise<JsonObject> {
  const pattern = "{arch}.attention.sliding_window_pattern";
  const window = { sliding_window: metadata.number("{arch}.attention.sliding_window") ?? null };
  const blocks = await metadata.flags(pattern);
  if (!blocks) return { ...window, sliding_window_pattern: metadata.number(pattern) ?? usual };
  return { ...window, layer_types: blocks.map((narrow) => (narrow ? "sliding_attention" : "full_attention")) };
}

const graniteConfig = (model: ModelShape, metadata: Metadata): JsonObject => ({
  ...rms(model),
  attention_multiplier: metadata.number("{arch}.attention.scale") ?? 1,
  embedding_multiplier: metadata.number("{arch}.embedding_scale") ?? 1,
  residual_multiplier: metadata.number("{arch}.residual_scale") ?? 1,
  logits_scaling: metadata.number("{arch}.logit_scale") ?? 1,
});

const BAICHUAN_13B_BLOCKS = 40;
const BAICHUAN2_VOCAB = 125_696;

export const LLAMA_FAMILY: Readonly<Record<string, GgufArchitecture>> = {
  llama,
  // The fused projection is stored in three parts. Whether positions are rotary or ALiBi no file says: as in llama.cpp, the 13B
  // models, which have ALiBi, are known by their depth. A normalised head is one however often it is normalised.
  baichuan: {
    names: LLAMA,
    changes: rotatedQk,
    config: (model) => ({
      ...llamaConfig(model, "baichuan", "BaichuanForCausalLM"),
      ...rms(model),
      position: model.blocks === BAICHUAN_13B_BLOCKS ? "alibi" : "rotary",
      norm_head: model.vocab === BAICHUAN2_VOCAB,
    }),
  },
  qwen2: {
    names: LLAMA,
    config: (model) => ({
      ...llamaConfig(model, "qwen2", "Qwen2ForCausalLM"),
      ...rms(model),
      use_sliding_window: false,
    }),
  },
  qwen2moe: {
    names: { ...LLAMA, ...QWEN_EXPERTS },
    changes: () => experts,
    config: (model, metadata) => ({
      ...llamaConfig(model, "qwen2_moe", "Qwen2MoeForCausalLM"),
      ...rms(model),
      ...qwenExperts(metadata, model),
      shared_expert_intermediate_size: metadata.sizeOf(
        "{arch}.expert_shared_feed_forward_length",
        "ffn_gate_shexp",
        0, // (inner, width)
      ),
      norm_topk_prob: metadata.flag("{arch}.expert_weights_norm") ?? false,
      use_sliding_window: false,
    }),
  },
  qwen3: {
    names: { ...LLAMA, ...QK_NORM },
    config: (model) => ({
      ...llamaConfig(model, "qwen3", "Qwen3ForCausalLM"),
      ...rms(model),
      attention_bias: model.has("blk.0.attn_q.bias"),
      use_sliding_window: false,
    }),
  },
  qwen3moe: {
    names: { ...LLAMA, ...QK_NORM, ...QWEN_EXPERTS },
    changes: () => experts,
    config: (model, metadata) => ({
      ...llamaConfig(model, "qwen3_moe", "Qwen3MoeForCausalLM"),
      ...rms(model),
      attention_bias: model.has("blk.0.attn_q.bias"),
      ...qwenExperts(metadata, model),
      norm_topk_prob: metadata.flag("{arch}.expert_weights_norm") ?? true,
      use_sliding_window: false,
    }),
  },
  gemma: {
    names: LLAMA,
    changes: gemmaChanges,
    config: (model) => ({ ...llamaConfig(model, "gemma", "GemmaForCausalLM"), ...gemmaConfig(model) }),
  },
  gemma2: {
    names: SANDWICH,
    changes: gemmaChanges,
    config: (model, metadata) => ({
      ...llamaConfig(model, "gemma2", "Gemma2ForCausalLM"),
      ...gemmaConfig(model),
      sliding_window: metadata.number("{arch}.attention.sliding_window") ?? 4096,
      attn_logit_softcapping: metadata.number("{arch}.attn_logit_softcapping") ?? 50,
      final_logit_softcapping: metadata.number("{arch}.final_logit_softcapping") ?? 30,
      query_pre_attn_scalar: queryScalar(model, metadata, 46),
    }),
  },
  gemma3: {
    names: SANDWICH,
    changes: gemmaChanges,
    config: async (model, metadata) => ({
      ...llamaConfig(model, "gemma3_text", "Gemma3ForCausalLM"),
      ...gemmaConfig(model),
      ...(await windowed(metadata, 6)),
      rope_local_base_freq: metadata.number("{arch}.rope.freq_base_swa") ?? 10_000,
      attn_logit_softcapping: metadata.number("{arch}.attn_logit_softcapping") ?? null,
      final_logit_softcapping: metadata.number("{arch}.final_logit_softcapping") ?? null,
      query_pre_attn_scalar: queryScalar(model, metadata, 62),
    }),
  },
  "command-r": {
    names: { ...LLAMA, ...QK_NORM },
    config: (model, metadata) => ({
      ...llamaConfig(model, "cohere", "CohereForCausalLM"),
      ...layer(model),
      logit_scale: metadata.required("{arch}.logit_scale"),
      use_qk_norm: model.has("blk.0.attn_q_norm.weight"),
    }),
  },
  cohere2: {
    names: LLAMA,
    config: async (model, metadata) => ({
      ...llamaConfig(model, "cohere2", "Cohere2ForCausalLM"),
      ...layer(model),
      ...(await windowed(metadata, 4)),
      logit_scale: metadata.required("{arch}.logit_scale"),
    }),
  },
  olmo: {
    names: LLAMA,
    changes: rotatedQk,
    config: (model, metadata) => ({
      ...llamaConfig(model, "olmo", "OlmoForCausalLM"),
      hidden_act: "silu",
      clip_qkv: metadata.number("{arch}.attention.clamp_kqv") ?? null,
    }),
  },
  olmo2: {
    names: { ...LLAMA_ENDS, ...LLAMA_ATTENTION, ...QK_NORM, ...GATED_MLP, ...POST_NORMS },
    config: (model, metadata) => {
      if (metadata.number("{arch}.attention.sliding_window"))
        throw metadata.error("is an OLMo 3 (an olmo2 that attends to windows), which is not supported");
      return { ...llamaConfig(model, "olmo2", "Olmo2ForCausalLM"), ...rms(model) };
    },
  },
  exaone4: {
    names: { ...LLAMA_ENDS, ...LLAMA_ATTENTION, ...QK_NORM, ...GATED_MLP, ...POST_NORMS },
    config: async (model, metadata) => ({
      ...llamaConfig(model, "exaone4", "Exaone4ForCausalLM"),
      ...rms(model),
      ...(await windowed(metadata, 4)),
    }),
  },
  smollm3: {
    names: LLAMA,
    changes: rotatedQk,
    // Which blocks have no rotary positions is not in the metadata; all published models leave out every fourth.
    config: (model) => ({
      ...llamaConfig(model, "smollm3", "SmolLM3ForCausalLM"),
      ...rms(model),
      ...biases(model),
      no_rope_layer_interval: 4,
    }),
  },
  granite: {
    names: LLAMA,
    changes: rotatedQk,
    config: (model, metadata) => ({
      ...llamaConfig(model, "granite", "GraniteForCausalLM"),
      ...biases(model),
      ...graniteConfig(model, metadata),
    }),
  },
  granitemoe: {
    names: {
      ...LLAMA,
      "blk.{n}.ffn_gate_inp": "model.layers.{n}.block_sparse_moe.router.layer",
      "blk.{n}.ffn_gate_exps": "model.layers.{n}.block_sparse_moe.input_linear.gate",
      "blk.{n}.ffn_up_exps": "model.layers.{n}.block_sparse_moe.input_linear.up",
      "blk.{n}.ffn_down_exps": "model.layers.{n}.block_sparse_moe.output_linear",
    },
    changes: rotatedQk,
    config: (model, metadata) => ({
      ...llamaConfig(model, "granitemoe", "GraniteMoeForCausalLM"),
      attention_bias: model.has("blk.0.attn_q.bias"),
      ...graniteConfig(model, metadata),
      num_local_experts: metadata.required("{arch}.expert_count"),
      num_experts_per_tok: metadata.required("{arch}.expert_used_count"),
    }),
  },
  nemotron: {
    names: {
      ...LLAMA_ENDS,
      ...LLAMA_ATTENTION,
      ...PRE_NORMS,
      "blk.{n}.ffn_up": "model.layers.{n}.mlp.up_proj",
      "blk.{n}.ffn_down": "model.layers.{n}.mlp.down_proj",
    },
    changes: () =>
      Object.fromEntries(["output_norm", "blk.{n}.attn_norm", "blk.{n}.ffn_norm"].map((n) => [n, lessOne])),
    config: (model) => ({
      ...llamaConfig(model, "nemotron", "NemotronForCausalLM"),
      ...biases(model),
      ...partialRotary(model),
      norm_eps: model.normEps,
      hidden_act: "relu2",
    }),
  },
  stablelm: {
    names: {
      ...LLAMA,
      "blk.{n}.attn_q_norm": "model.layers.{n}.self_attn.q_layernorm.norms.{e}",
      "blk.{n}.attn_k_norm": "model.layers.{n}.self_attn.k_layernorm.norms.{e}",
    },
    changes: () => ({ "blk.{n}.attn_q_norm": unstacked, "blk.{n}.attn_k_norm": unstacked }),
    config: (model, metadata) => ({
      ...llamaConfig(model, "stablelm", "StableLmForCausalLM"),
      ...layer(model),
      ...partialRotary(model),
      use_parallel_residual: metadata.flag("{arch}.use_parallel_residual") ?? false,
      use_qkv_bias: model.has("blk.0.attn_q.bias"),
      qk_layernorm: model.has("blk.0.attn_q_norm.weight"),
    }),
  },
  phi3: {
    names: {
      ...LLAMA_ENDS,
      ...PRE_NORMS,
      ...FUSED_MLP,
      "blk.{n}.attn_qkv": "model.layers.{n}.self_attn.qkv_proj",
      "blk.{n}.attn_output": "model.layers.{n}.self_attn.o_proj",
    },
    config: (model, metadata) => ({
      ...llamaConfig(model, "phi3", "Phi3ForCausalLM"),
      ...rms(model),
      ...partialRotary(model),
      sliding_window: metadata.number("{arch}.attention.sliding_window") || null,
      original_max_position_embeddings: metadata.number("{arch}.rope.scaling.original_context_length") ?? model.context,
    }),
  },
  phi2: {
    names: {
      token_embd: "model.embed_tokens",
      output_norm: "model.final_layernorm",
      output: "lm_head",
      ...LLAMA_ATTENTION,
      "blk.{n}.attn_qkv": "model.layers.{n}.self_attn.{e}_proj", // of the first files
      "blk.{n}.attn_norm": "model.layers.{n}.input_layernorm",
      "blk.{n}.attn_output": "model.layers.{n}.self_attn.dense",
      "blk.{n}.ffn_up": "model.layers.{n}.mlp.fc1",
      "blk.{n}.ffn_down": "model.layers.{n}.mlp.fc2",
    },
    changes: ({ heads, kvHeads }) => ({ "blk.{n}.attn_qkv": projections(heads, kvHeads) }),
    config: (model) => ({
      ...llamaConfig(model, "phi", "PhiForCausalLM"),
      ...partialRotary(model),
      layer_norm_eps: model.normEps,
      hidden_act: "gelu_new",
      qk_layernorm: false,
    }),
  },
  starcoder2: {
    names: {
      ...LLAMA_ENDS,
      ...LLAMA_ATTENTION,
      ...PRE_NORMS,
      "blk.{n}.ffn_up": "model.layers.{n}.mlp.c_fc",
      "blk.{n}.ffn_down": "model.layers.{n}.mlp.c_proj",
    },
    config: (model, metadata) => ({
      ...llamaConfig(model, "starcoder2", "Starcoder2ForCausalLM"),
      norm_epsilon: model.normEps,
      hidden_act: "gelu_pytorch_tanh",
      use_bias: model.has("blk.0.attn_q.bias"),
      sliding_window: metadata.number("{arch}.attention.sliding_window") || null,
    }),
  },
  glm4: {
    names: {
      ...LLAMA_ENDS,
      ...LLAMA_ATTENTION,
      ...PRE_NORMS,
      ...FUSED_MLP,
      "blk.{n}.post_attention_norm": "model.layers.{n}.post_self_attn_layernorm",
      "blk.{n}.post_ffw_norm": "model.layers.{n}.post_mlp_layernorm",
    },
    config: (model) => ({
      ...llamaConfig(model, "glm4", "Glm4ForCausalLM"),
      ...rms(model),
      ...partialRotary(model),
      attention_bias: model.has("blk.0.attn_q.bias"),
    }),
  },
};
