import type { Harmless } from "@llm/tensor";

/** Rotary tables that older checkpoints store. */
export const INVERSE_FREQUENCIES: Harmless = {
  match: /\.rotary_(emb|pos_emb)\.inv_freq$/,
  reason: "rotary frequencies, which are computed from the config",
};

/** Causal masks that older checkpoints store. */
export const CAUSAL_MASKS: Harmless = {
  match: /(^|\.)(attn|attention)\.((masked_)?bias|causal_mask)$/,
  reason: "the causal mask, which is computed",
};

/** A head of its own in a checkpoint whose config ties it: the published classes use the embedding. */
export const TIED_HEAD: Harmless = {
  match: /^(lm_head|embed_out)\.weight$/,
  reason: "tied: the embedding is the head",
};

/** Fields of every transformers config, at any depth, that no decoder reads. */
export const GENERIC_IGNORED: Readonly<Record<string, string>> = {
  _name_or_path: "where it was saved from",
  _num_labels: "labels of a classifier",
  architectures: "chooses the architecture, and nothing else",
  chunk_size_feed_forward: "how the published code may cut its work",
  dtype: "how the weights are stored, which their files say",
  id2label: "labels of a classifier",
  is_encoder_decoder: "decoders are not",
  label2id: "labels of a classifier",
  model_type: "chooses the architecture, and nothing else",
  output_attentions: "an output for looking at",
  output_hidden_states: "an output for looking at",
  problem_type: "a classifier's",
  return_dict: "how the published code hands out results",
  torch_dtype: "how the weights are stored, which their files say",
};

/** The same fields where they stand inside another. */
export function ignoredUnder(field: string, ignored: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(ignored).map(([inner, why]) => [`${field}.${inner}`, why]));
}

/** Fields that change nothing in inference, whatever the architecture, each with the reason. */
export const COMMON_IGNORED: Readonly<Record<string, string>> = {
  ...GENERIC_IGNORED,
  _from_model_config: "how its generation_config came about",
  attention_dropout: "training only",
  attn_pdrop: "training only",
  auto_map: "names code of the checkpoint, which is never run",
  bos_token_id: "the tokenizer's",
  classifier_dropout: "training only",
  custom_pipelines: "names code of the checkpoint, which is never run",
  embd_pdrop: "training only",
  eos_token_id: "ends generation, not the computation",
  gradient_checkpointing: "training only",
  initializer_range: "training only",
  pad_token_id: "the tokenizer's",
  quantization_config: "how the weights are stored, which the checkpoint reader handles",
  resid_pdrop: "training only",
  tokenizer_class: "the tokenizer's",
  transformers_version: "who wrote the file",
  unk_token_id: "the tokenizer's",
  use_cache: "every graph here can keep a cache",
};

/** What the GPT-2 family's configs carry besides. */
export const GPT2_IGNORED: Readonly<Record<string, string>> = {
  n_ctx: "an older name for n_positions, always beside it",
  output_past: "how the published code hands out its cache",
  reorder_and_upcast_attn: "everything is computed in float32",
  summary_activation: "a classification head that generation doesn't have",
  summary_first_dropout: "a classification head that generation doesn't have",
  summary_proj_to_labels: "a classification head that generation doesn't have",
  summary_type: "a classification head that generation doesn't have",
  summary_use_proj: "a classification head that generation doesn't have",
  task_specific_params: "defaults of a pipeline",
};

/** What routers carry for training. */
export const ROUTER_TRAINING_IGNORED: Readonly<Record<string, string>> = {
  output_router_logits: "an output for training",
  router_aux_loss_coef: "training only",
  router_jitter_noise: "training only",
};

/** What Gemma's configs carry besides. */
export const GEMMA_IGNORED: Readonly<Record<string, string>> = {
  cache_implementation: "how transformers keeps its cache",
};
