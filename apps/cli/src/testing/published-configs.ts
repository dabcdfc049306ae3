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
