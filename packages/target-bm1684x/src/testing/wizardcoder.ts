/** Wizardcoder-15B's sizes: a plan needs no weights. */
export const WIZARDCODER: Readonly<Record<string, unknown>> = {
  model_type: "gpt_bigcode",
  n_embd: 6144,
  n_head: 48,
  n_layer: 40,
  n_inner: 24576,
  n_positions: 8192,
  vocab_size: 49153,
  multi_query: true,
  activation_function: "gelu",
};
