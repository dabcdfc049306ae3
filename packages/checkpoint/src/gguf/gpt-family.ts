import type { JsonObject } from "../json.ts";
import {
  type Change,
  type GgufArchitecture,
  interleavedGroups,
  interleavedHeads,
  type ModelShape,
  transposed,
} from "./architecture.ts";
import { GPT2 } from "./names.ts";

/** Config fields of the models that call things as GPT-2 does. */
const gpt2Config = (model: ModelShape, modelType: string, architecture: string): JsonObject => ({
  model_type: modelType,
  architectures: [architecture],
  vocab_size: model.vocab,
  n_embd: model.width,
  n_layer: model.blocks,
  n_head: model.heads,
  n_inner: model.inner,
  n_positions: model.context,
  layer_norm_epsilon: model.normEps,
  tie_word_embeddings: model.tied,
});

/** In the code of the published class, and in none of its configs. */
const JAIS_ALIBI_BIAS = 8;

/** Only weights have two axes to swap. */
const conv1d: Change = (tensor) => (tensor.shape.length === 2 ? transposed(tensor) : [tensor]);

const CONV1D: Readonly<Record<string, Change>> = {
  "blk.{n}.attn_qkv": conv1d,
  "blk.{n}.attn_output": conv1d,
  "blk.{n}.ffn_up": conv1d,
  "blk.{n}.ffn_down": conv1d,
};

/** With two norms in parallel, the one that comes first is the feed-forward part's and has another name. */
const parallelNorm: Change = (tensor) => [{ ...tensor, name: tensor.name.replace("input_layernorm", "ln_mlp") }];

export const GPT_FAMILY: Readonly<Record<string, GgufArchitecture>> = {
  gpt2: {
    names: GPT2,
    changes: () => CONV1D,
    config: (model) => ({
      ...gpt2Config(model, "gpt2", "GPT2LMHeadModel"),
      activation_function: "gelu_new",
    }),
  },
  starcoder: {
    names: GPT2,
    config: (model) => ({
      ...gpt2Config(model, "gpt_bigcode", "GPTBigCodeForCausalLM"),
      activation_function: "gelu_pytorch_tanh",
      multi_query: model.kvHeads === 1,
    }),
  },
  jais: {
    names: { ...GPT2, "blk.{n}.ffn_gate": "transformer.h.{n}.mlp.c_fc2" },
    changes: () => ({ ...CONV1D, "blk.{n}.ffn_gate": conv1d }),
    // Conversion multiplies the factors for embeddings and logits into the weights.
    config: (model, metadata) => {
      const bias = metadata.number("{arch}.attention.max_alibi_bias") ?? JAIS_ALIBI_BIAS;
      if (bias !== JAIS_ALIBI_BIAS)
        throw metadata.error(`has ALiBi up to ${bias}; all published Jais models have it up to ${JAIS_ALIBI_BIAS}`);
      return {
        ...gpt2Config(model, "jais", "JAISLMHeadModel"),
        activation_function: "swiglu",
        position_embedding_type: "alibi",
        mup_embeddings_scale: 1,
        mup_output_alpha: 1,
        mup_width_scale: 1,
        mup_scale_qk_dot_by_d: true,
      };
    },
  },
  gptneox: {
    names: {
      token_embd: "gpt_neox.embed_in",
      output_norm: "gpt_neox.final_layer_norm",
      output: "embed_out",
      "blk.{n}.attn_norm": "gpt_neox.layers.{n}.input_layernorm",
      "blk.{n}.attn_qkv": "gpt_neox.layers.{n}.attention.query_key_value",
      "blk.{n}.attn_output": "gpt_neox.layers.{n}.attention.dense",
      "blk.{n}.ffn_norm": "gpt_neox.layers.{n}.post_attention_layernorm",
      "blk.{n}.ffn_up": "gpt_neox.layers.{n}.mlp.dense_h_to_4h",
      "blk.{n}.ffn_down": "gpt_neox.layers.{n}.mlp.dense_4h_to_h",
    },
    changes: ({ heads }) => ({ "blk.{n}.attn_qkv": interleavedHeads(heads) }),
    config: (model, metadata) => ({
      model_type: "gpt_neox",
      architectures: ["GPTNeoXForCausalLM"],
      vocab_size: model.vocab,
      hidden_size: model.width,
      intermediate_size: model.inner,
      num_hidden_layers: model.blocks,
      num_attention_heads: model.heads,
      max_position_embeddings: model.context,
      rope_scaling: model.ropeScaling,
      tie_word_embeddings: model.tied,
      rotary_pct: model.ropeDims / model.headDim,
      rotary_emb_base: model.ropeTheta,
      layer_norm_eps: model.normEps,
      hidden_act: "gelu",
      attention_bias: model.has("blk.0.attn_qkv.bias"),
      use_parallel_residual: metadata.flag("{arch}.use_parallel_residual") ?? true,
    }),
  },
  bloom: {
    names: {
      token_embd: "transformer.word_embeddings",
      token_embd_norm: "transformer.word_embeddings_layernorm",
      output_norm: "transformer.ln_f",
      output: "lm_head",
      "blk.{n}.attn_norm": "transformer.h.{n}.input_layernorm",
      "blk.{n}.attn_qkv": "transformer.h.{n}.self_attention.query_key_value",
      "blk.{n}.attn_output": "transformer.h.{n}.self_attention.dense",
      "blk.{n}.ffn_norm": "transformer.h.{n}.post_attention_layernorm",
      "blk.{n}.ffn_up": "transformer.h.{n}.mlp.dense_h_to_4h",
      "blk.{n}.ffn_down": "transformer.h.{n}.mlp.dense_4h_to_h",
    },
    changes: ({ heads }) => ({ "blk.{n}.attn_qkv": interleavedHeads(heads) }),
    config: (model) => ({
      model_type: "bloom",
      architectures: ["BloomForCausalLM"],
      vocab_size: model.vocab,
      hidden_size: model.width,
      n_layer: model.blocks,
      n_head: model.heads,
      seq_length: model.context,
      layer_norm_epsilon: model.normEps,
      apply_residual_connection_post_layernorm: false,
      tie_word_embeddings: model.tied,
    }),
  },
  mpt: {
    names: {
      token_embd: "transformer.wte",
      position_embd: "transformer.wpe",
      output_norm: "transformer.norm_f",
      output: "lm_head",
      "blk.{n}.attn_norm": "transformer.blocks.{n}.norm_1",
      "blk.{n}.attn_qkv": "transformer.blocks.{n}.attn.Wqkv",
      "blk.{n}.attn_q_norm": "transformer.blocks.{n}.attn.q_ln",
      "blk.{n}.attn_k_norm": "transformer.blocks.{n}.attn.k_ln",
      "blk.{n}.attn_output": "transformer.blocks.{n}.attn.out_proj",
      "blk.{n}.ffn_norm": "transformer.blocks.{n}.norm_2",
      "blk.{n}.ffn_up": "transformer.blocks.{n}.ffn.up_proj",
      "blk.{n}.ffn_down": "transformer.blocks.{n}.ffn.down_proj",
    },
    config: (model, metadata) => {
      const bias = metadata.number("{arch}.attention.max_alibi_bias") ?? 0;
      const grouped = model.kvHeads !== model.heads;
      return {
        model_type: "mpt",
        architectures: ["MPTForCausalLM"],
        vocab_size: model.vocab,
        d_model: model.width,
        n_layers: model.blocks,
        n_heads: model.heads,
        expansion_ratio: model.inner / model.width,
        max_seq_len: model.context,
        layer_norm_epsilon: model.normEps,
        no_bias: !model.has("blk.0.attn_qkv.bias"),
        learned_pos_emb: model.has("position_embd.weight"),
        tie_word_embeddings: model.tied,
        logit_scale: metadata.number("{arch}.logit_scale") ?? null,
        attn_config: {
          attn_type: grouped ? "grouped_query_attention" : "multihead_attention",
          alibi: bias > 0,
          alibi_bias_max: bias > 0 ? bias : 8,
          clip_qkv: metadata.number("{arch}.attention.clamp_kqv") ?? null,
          qk_ln: model.has("blk.0.attn_q_norm.weight"),
          ...(grouped ? { kv_n_heads: model.kvHeads } : {}),
        },
      };
    },
  },
  falcon: {
    names: {
      token_embd: "transformer.word_embeddings",
      output_norm: "transformer.ln_f",
      output: "lm_head",
      "blk.{n}.attn_norm": "transformer.h.{n}.input_layernorm",
      "blk.{n}.attn_norm_2": "transformer.h.{n}.ln_attn",
      "blk.{n}.attn_qkv": "transformer.h.{n}.self_attention.query_key_value",
      "blk.{n}.attn_output": "transformer.h.{n}.self_attention.dense",
      "blk.{n}.ffn_up": "transformer.h.{n}.mlp.dense_h_to_4h",
      "blk.{n}.ffn_down": "transformer.h.{n}.mlp.dense_4h_to_h",
    },
    changes: ({ heads, kvHeads, has }) => ({
      "blk.{n}.attn_qkv": interleavedGroups(heads, kvHeads),
      ...(has("blk.0.attn_norm_2.weight") ? { "blk.{n}.attn_norm": parallelNorm } : {}),
    }),
    config: (model) => {
      const two = model.has("blk.0.attn_norm_2.weight");
      const grouped = two || model.kvHeads > 1;
      return {
        model_type: "falcon",
        architectures: ["FalconForCausalLM"],
        vocab_size: model.vocab,
        hidden_size: model.width,
        num_hidden_layers: model.blocks,
        num_attention_heads: model.heads,
        num_kv_heads: grouped ? model.kvHeads : model.heads,
        max_position_embeddings: model.context,
        rope_theta: model.ropeTheta,
        rope_scaling: model.ropeScaling,
        tie_word_embeddings: model.tied,
        layer_norm_epsilon: model.normEps,
        activation: "gelu",
        ffn_hidden_size: model.inner,
        alibi: false,
        bias: model.has("blk.0.attn_qkv.bias"),
        multi_query: true,
        parallel_attn: true,
        new_decoder_architecture: grouped,
        ...(grouped ? { num_ln_in_parallel_attn: two ? 2 : 1 } : {}),
      };
    },
  },
  chatglm: {
    names: {
      token_embd: "transformer.embedding.word_embeddings",
      output_norm: "transformer.encoder.final_layernorm",
      output: "transformer.output_layer",
      "blk.{n}.attn_norm": "transformer.encoder.layers.{n}.input_layernorm",
      "blk.{n}.attn_qkv": "transformer.encoder.layers.{n}.self_attention.query_key_value",
      "blk.{n}.attn_output": "transformer.encoder.layers.{n}.self_attention.dense",
      "blk.{n}.ffn_norm": "transformer.encoder.layers.{n}.post_attention_layernorm",
      "blk.{n}.ffn_up": "transformer.encoder.layers.{n}.mlp.dense_h_to_4h",
      "blk.{n}.ffn_down": "transformer.encoder.layers.{n}.mlp.dense_4h_to_h",
    },
    config: (model) => ({
      model_type: "chatglm",
      architectures: ["ChatGLMModel"],
      padded_vocab_size: model.vocab,
      hidden_size: model.width,
      ffn_hidden_size: model.inner,
      num_layers: model.blocks,
      num_attention_heads: model.heads,
      kv_channels: model.headDim,
      multi_query_attention: model.kvHeads !== model.heads,
      multi_query_group_num: model.kvHeads,
      seq_length: model.context,
      rope_ratio: model.ropeTheta / 10_000,
      layernorm_epsilon: model.normEps,
      rmsnorm: true,
      post_layer_norm: true,
      apply_residual_connection_post_layernorm: false,
      add_bias_linear: model.has("blk.0.ffn_up.bias"),
      add_qkv_bias: model.has("blk.0.attn_qkv.bias"),
      tie_word_embeddings: model.tied,
    }),
  },
};
