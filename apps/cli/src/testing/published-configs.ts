/** Shapes as published; plans need no weights. */
export const STARCODER = {
  architectures: ["GPTBigCodeForCausalLM"],
  model_type: "gpt_bigcode",
  n_embd: 6144,
  n_layer: 40,
  n_head: 48,
  n_inner: 24576,
  n_positions: 8192,
  vocab_size: 49152,
  multi_query: true,
  layer_norm_epsilon: 1e-5,
  activation_function: "gelu_pytorch_tanh",
} as const;

/** With a token for padding, and the activation under its other name. */
export const WIZARDCODER = { ...STARCODER, vocab_size: 49153, activation_function: "gelu" } as const;

/** With norms over all heads of a layer, which chips that share it can't take. */
export const OLMO2 = {
  architectures: ["Olmo2ForCausalLM"],
  model_type: "olmo2",
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  vocab_size: 100352,
  max_position_embeddings: 4096,
  rope_theta: 500000,
  rms_norm_eps: 1e-6,
  hidden_act: "silu",
} as const;
