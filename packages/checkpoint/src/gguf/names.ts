/** Published names that several architectures share, by GGUF's name. */
export type Names = Readonly<Record<string, string>>;

export const LLAMA_ATTENTION: Names = {
  "blk.{n}.attn_q": "model.layers.{n}.self_attn.q_proj",
  "blk.{n}.attn_k": "model.layers.{n}.self_attn.k_proj",
  "blk.{n}.attn_v": "model.layers.{n}.self_attn.v_proj",
  "blk.{n}.attn_output": "model.layers.{n}.self_attn.o_proj",
};

export const QK_NORM: Names = {
  "blk.{n}.attn_q_norm": "model.layers.{n}.self_attn.q_norm",
  "blk.{n}.attn_k_norm": "model.layers.{n}.self_attn.k_norm",
};

export const LLAMA_ENDS: Names = {
  token_embd: "model.embed_tokens",
  output_norm: "model.norm",
  output: "lm_head",
};

export const GATED_MLP: Names = {
  "blk.{n}.ffn_gate": "model.layers.{n}.mlp.gate_proj",
  "blk.{n}.ffn_up": "model.layers.{n}.mlp.up_proj",
  "blk.{n}.ffn_down": "model.layers.{n}.mlp.down_proj",
};

/** gate_proj and up_proj as one tensor. */
export const FUSED_MLP: Names = {
  "blk.{n}.ffn_up": "model.layers.{n}.mlp.gate_up_proj",
  "blk.{n}.ffn_down": "model.layers.{n}.mlp.down_proj",
};

/** A norm before attention and one before the feed-forward part. */
export const PRE_NORMS: Names = {
  "blk.{n}.attn_norm": "model.layers.{n}.input_layernorm",
  "blk.{n}.ffn_norm": "model.layers.{n}.post_attention_layernorm",
};

/** Norms after them. */
export const POST_NORMS: Names = {
  "blk.{n}.post_attention_norm": "model.layers.{n}.post_attention_layernorm",
  "blk.{n}.post_ffw_norm": "model.layers.{n}.post_feedforward_layernorm",
};

export const LLAMA: Names = { ...LLAMA_ENDS, ...LLAMA_ATTENTION, ...GATED_MLP, ...PRE_NORMS };

export const GPT2: Names = {
  token_embd: "transformer.wte",
  position_embd: "transformer.wpe",
  output_norm: "transformer.ln_f",
  output: "lm_head",
  "blk.{n}.attn_norm": "transformer.h.{n}.ln_1",
  "blk.{n}.attn_qkv": "transformer.h.{n}.attn.c_attn",
  "blk.{n}.attn_output": "transformer.h.{n}.attn.c_proj",
  "blk.{n}.ffn_norm": "transformer.h.{n}.ln_2",
  "blk.{n}.ffn_up": "transformer.h.{n}.mlp.c_fc",
  "blk.{n}.ffn_down": "transformer.h.{n}.mlp.c_proj",
};

/** Experts one by one under `mlp.experts`, a router and, where there is one, the shared expert. */
export const QWEN_EXPERTS: Names = {
  "blk.{n}.ffn_gate_inp": "model.layers.{n}.mlp.gate",
  "blk.{n}.ffn_gate_exps": "model.layers.{n}.mlp.experts.{e}.gate_proj",
  "blk.{n}.ffn_up_exps": "model.layers.{n}.mlp.experts.{e}.up_proj",
  "blk.{n}.ffn_down_exps": "model.layers.{n}.mlp.experts.{e}.down_proj",
  "blk.{n}.ffn_gate_inp_shexp": "model.layers.{n}.mlp.shared_expert_gate",
  "blk.{n}.ffn_gate_shexp": "model.layers.{n}.mlp.shared_expert.gate_proj",
  "blk.{n}.ffn_up_shexp": "model.layers.{n}.mlp.shared_expert.up_proj",
  "blk.{n}.ffn_down_shexp": "model.layers.{n}.mlp.shared_expert.down_proj",
};
