import type { Graph } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import type { PlanRequest } from "../plan-aic100.ts";

/** bigcode/starcoder's config, as far as its shape goes. */
const STARCODER = {
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
  tie_word_embeddings: true,
};

const LLAMA_2_7B = {
  model_type: "llama",
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  vocab_size: 32000,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-5,
  hidden_act: "silu",
  tie_word_embeddings: false,
};

function graphOf(config: Readonly<Record<string, unknown>>): Graph {
  return architectureFor(config).build(new Config(config));
}

export const starcoder = (): Graph => graphOf(STARCODER);
export const llama2 = (): Graph => graphOf(LLAMA_2_7B);

/** A single Standard card, single tokens, nothing shared. */
export const ONE_CARD: PlanRequest = {
  card: "dl2q",
  devices: 0,
  batchSize: 1,
  fullBatchSize: 0,
  promptLen: 1,
  ctxLen: 1024,
  mxfp6: true,
  mxint8: false,
  replicateKvHeads: 1,
};

/** What was found by trial on one card of a DL2q instance with StarCoder in MXFP6: context, and sequences that fit. */
export const FOUND_BY_TRIAL: readonly (readonly [ctxLen: number, batchSize: number])[] = [
  [8192, 14],
  [2048, 56],
  [1024, 84],
];
