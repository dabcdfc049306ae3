import type { JsonObject } from "../json.ts";
import { type Change, type GgufArchitecture, type ModelShape, unstacked } from "./architecture.ts";
import { llamaConfig } from "./llama-family.ts";
import type { Metadata } from "./metadata.ts";
import { GATED_MLP, LLAMA_ENDS, PRE_NORMS } from "./names.ts";

/** How `expert_gating_func` numbers the scores of a router. */
const SIGMOID = 2;

/** The only tensor whose published name ends in `_bias`. */
const correction: Change = (tensor) => [{ ...tensor, name: tensor.name.replace(/\.bias$/, "_bias") }];

/** YaRN's two factors for the softmax are published alike; GGUF has a tenth of one. */
function withScales({ ropeScaling }: ModelShape, metadata: Metadata): JsonObject | null {
  const tenth = metadata.number("{arch}.rope.scaling.yarn_log_multiplier");
  if (ropeScaling === null || tenth === undefined) return ropeScaling;
  const scale = Number((tenth * 10).toPrecision(6));
  return { ...ropeScaling, mscale: scale, mscale_all_dim: scale };
}

/** Lengths of a query's and a value's head: of the expanded form, which newer files keep under other keys. */
function headLengths(metadata: Metadata): { query: number; value: number; rotary: number } {
  const length = (key: string) =>
    metadata.number(`{arch}.attention.${key}_mla`) ?? metadata.required(`{arch}.attention.${key}`);
  return {
    query: length("key_length"),
    value: length("value_length"),
    rotary: metadata.required("{arch}.rope.dimension_count"),
  };
}

/** DeepSeek 2 and 3, which are told apart by how their routers score. */
export const deepseek2: GgufArchitecture = {
  names: {
    ...LLAMA_ENDS,
    ...PRE_NORMS,
    ...GATED_MLP,
    "blk.{n}.attn_q": "model.layers.{n}.self_attn.q_proj",
    "blk.{n}.attn_q_a": "model.layers.{n}.self_attn.q_a_proj",
    "blk.{n}.attn_q_a_norm": "model.layers.{n}.self_attn.q_a_layernorm",
    "blk.{n}.attn_q_b": "model.layers.{n}.self_attn.q_b_proj",
    "blk.{n}.attn_kv_a_mqa": "model.layers.{n}.self_attn.kv_a_proj_with_mqa",
    "blk.{n}.attn_kv_a_norm": "model.layers.{n}.self_attn.kv_a_layernorm",
    "blk.{n}.attn_kv_b": "model.layers.{n}.self_attn.kv_b_proj",
    // What newer files have in its place: (head, latent, key) and (head, value, latent).
    "blk.{n}.attn_k_b": "model.layers.{n}.self_attn.kv_b_proj.keys",
    "blk.{n}.attn_v_b": "model.layers.{n}.self_attn.kv_b_proj.values",
    "blk.{n}.attn_output": "model.layers.{n}.self_attn.o_proj",
    "blk.{n}.ffn_gate_inp": "model.layers.{n}.mlp.gate",
    "blk.{n}.exp_probs_b": "model.layers.{n}.mlp.gate.e_score_correction",
    "blk.{n}.ffn_gate_exps": "model.layers.{n}.mlp.experts.{e}.gate_proj",
    "blk.{n}.ffn_up_exps": "model.layers.{n}.mlp.experts.{e}.up_proj",
    "blk.{n}.ffn_down_exps": "model.layers.{n}.mlp.experts.{e}.down_proj",
    "blk.{n}.ffn_gate_shexp": "model.layers.{n}.mlp.shared_experts.gate_proj",
    "blk.{n}.ffn_up_shexp": "model.layers.{n}.mlp.shared_experts.up_proj",
    "blk.{n}.ffn_down_shexp": "model.layers.{n}.mlp.shared_experts.down_proj",
  },
  changes: () => ({
    "blk.{n}.ffn_gate_exps": unstacked,
    "blk.{n}.ffn_up_exps": unstacked,
    "blk.{n}.ffn_down_exps": unstacked,
    "blk.{n}.exp_probs_b": correction,
  }),
  config: (model, metadata) => {
    const { query, value, rotary } = headLengths(metadata);
    const third = metadata.number("{arch}.expert_gating_func") === SIGMOID;
    const groups = metadata.number("{arch}.expert_group_count") ?? 1;
    return {
      ...llamaConfig(
        { ...model, headDim: rotary },
        third ? "deepseek_v3" : "deepseek_v2",
        third ? "DeepseekV3ForCausalLM" : "DeepseekV2ForCausalLM",
      ),
      rms_norm_eps: model.normEps,
      hidden_act: "silu",
      num_key_value_heads: model.heads,
      rope_scaling: withScales(model, metadata),
      q_lora_rank: metadata.number("{arch}.attention.q_lora_rank") ?? null,
      kv_lora_rank: metadata.required("{arch}.attention.kv_lora_rank"),
      qk_head_dim: query,
      qk_nope_head_dim: query - rotary,
      qk_rope_head_dim: rotary,
      v_head_dim: value,
      first_k_dense_replace: metadata.number("{arch}.leading_dense_block_count") ?? 0,
      moe_intermediate_size: metadata.required("{arch}.expert_feed_forward_length"),
      n_routed_experts: metadata.required("{arch}.expert_count"),
      n_shared_experts: metadata.number("{arch}.expert_shared_count") ?? 0,
      num_experts_per_tok: metadata.required("{arch}.expert_used_count"),
      n_group: groups,
      topk_group: metadata.number("{arch}.expert_group_used_count") ?? 1,
      topk_method: third ? "noaux_tc" : groups > 1 ? "group_limited_greedy" : "greedy",
      norm_topk_prob: metadata.flag("{arch}.expert_weights_norm") ?? third,
      routed_scaling_factor: metadata.number("{arch}.expert_weights_scale") ?? 1,
    };
  },
};
