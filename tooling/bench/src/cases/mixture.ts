/** A mixture as wide as published small ones, few layers of it: 300 million weights, of which a token sees a fifth. */
export const MIXTURE = {
  model_type: "granitemoe",
  hidden_size: 1024,
  intermediate_size: 512,
  num_hidden_layers: 6,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  num_local_experts: 32,
  num_experts_per_tok: 8,
  vocab_size: 8192,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
};
