import type { RouteRules } from "@llm/core-ir";
import type { Harmless, WeightExpr } from "@llm/tensor";
import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import type { Part } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import type { Config } from "../config.ts";
import { COMMON_IGNORED, ROUTER_TRAINING_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { experts, separateExperts } from "../moe.ts";
import { readRope, ropeTemperature } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Which values of a rotated part belong together. */
type Pairs = "interleaved" | "half";

/** Multi-head latent attention: keys and values of all heads come from one narrow vector a token. */
function latentAttention(config: Config, width: number, heads: number, eps: number, pairs: Pairs): Part {
  const latent = config.size("kv_lora_rank");
  const nope = config.size("qk_nope_head_dim");
  const turned = config.size("qk_rope_head_dim");
  const value = config.size("v_head_dim");
  const queryRank = config.has("q_lora_rank") ? config.size("q_lora_rank") : undefined;
  const bias = config.bool("attention_bias", false);
  const rope = readRope(config, { headDim: turned });
  const scale = ropeTemperature(config) ** 2 / Math.sqrt(nope + turned);

  return (d, x, prefix) => {
    const queries = heads * (nope + turned);
    const query =
      queryRank === undefined
        ? d.linear(x, `${prefix}.q_proj`, width, queries)
        : d.linear(
            d.rmsNorm(
              d.linear(x, `${prefix}.q_a_proj`, width, queryRank, { bias }),
              `${prefix}.q_a_layernorm`,
              queryRank,
              eps,
            ),
            `${prefix}.q_b_proj`,
            queryRank,
            queries,
          );
    const [qNope, qRope] = d.b.split(d.heads(query, heads, nope + turned), [nope, turned]);
    const compressed = d.linear(x, `${prefix}.kv_a_proj_with_mqa`, width, latent + turned, { bias });
    const [c, kRope] = d.b.split(compressed, [latent, turned]);
    const both: WeightExpr = {
      op: "reshape",
      of: d.tensor(`${prefix}.kv_b_proj.weight`, [heads * (nope + value), latent]),
      shape: [heads, nope + value, latent],
    };
    const rows = (start: number, end: number): WeightExpr => ({ op: "slice", of: both, axis: 1, start, end });
    // GGUF files have the two parts apart, the keys' already turned to be multiplied into queries.
    const keys = d.tensor(`${prefix}.kv_b_proj.keys.weight`, [heads, latent, nope]);
    const values = d.tensor(`${prefix}.kv_b_proj.values.weight`, [heads, value, latent]);
    const wKb: WeightExpr = { op: "either", of: [rows(0, nope), { op: "permute", of: keys, perm: [0, 2, 1] }] };
    const wVb: WeightExpr = { op: "either", of: [rows(nope, nope + value), values] };
    const turn = (part: typeof qRope) => d.rotary(part, rope, pairs);
    const attended = d.b.latentAttention(
      {
        qNope,
        qRope: turn(qRope),
        c: d.rmsNorm(c, `${prefix}.kv_a_layernorm`, latent, eps),
        kRope: d.joinHeads(turn(d.heads(kRope, 1, turned)), 1, turned),
        wKb: d.b.weight(wKb),
        wVb: d.b.weight(wVb),
        positions: d.positions,
        slots: d.slots,
      },
      { scale },
    );
    return d.linear(d.joinHeads(attended, heads, value), `${prefix}.o_proj`, heads * value, width, { bias });
  };
}

/** A DeepSeek decoder; the generations differ in how experts are chosen. */
function build(
  config: Config,
  name: string,
  routing: { rules: RouteRules; bias?: string },
  pairs: Pairs = "interleaved",
  context = 2048,
) {
  const shape = readShape(config, { context });
  const { width } = shape;
  const eps = config.positive("rms_norm_eps", 1e-6);
  const norm = rms(width, eps);
  const fn = readActivation(config, "hidden_act", "silu");
  const moe = { width, inner: config.size("moe_intermediate_size"), count: config.count("n_routed_experts") };
  const shared = gatedMlp({ width, inner: moe.inner * config.size("n_shared_experts", 1), fn });
  const from = config.int("first_k_dense_replace", 0);
  config.only("moe_layer_freq", 1);
  const dense = gatedMlp({ ...shape, fn, bias: config.bool("mlp_bias", false) });
  const mixture = experts({
    ...moe,
    fn,
    router: "gate",
    routerBias: routing.bias,
    route: routing.rules,
    weights: separateExperts(moe),
    shared: (d, x, prefix, layer) => shared(d, x, `${prefix}.shared_experts`, layer),
  });
  return standardDecoder({
    name,
    shape,
    tied: config.bool("tie_word_embeddings", false),
    last: norm,
    block: preNorm({
      norm,
      attention: latentAttention(config, width, shape.heads, eps, pairs),
      mlp: (d, x, prefix, layer) => (layer >= from ? mixture : dense)(d, x, prefix, layer),
    }),
  });
}

const IGNORED = {
  ...COMMON_IGNORED,
  ...ROUTER_TRAINING_IGNORED,
  aux_loss_alpha: "training only",
  ep_size: "how the published code spreads experts over devices",
  head_dim: "repeats qk_rope_head_dim",
  num_key_value_heads: "latent attention has none of its own",
  pretraining_tp: "splits a linear in pieces that add up to the same",
  qk_head_dim: "the sum of its two parts",
  seq_aux: "training only",
};

/** DeepSeek v2: experts by softmax, from the best groups where there are groups. */
export const deepseekV2: Architecture = {
  id: "deepseek_v2",
  title: "DeepSeek-V2, DeepSeek-Coder-V2",
  modelTypes: ["deepseek_v2"],
  classNames: ["DeepseekV2ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...IGNORED,
    norm_topk_prob: "the published class doesn't read it",
    scoring_func: "always softmax in this generation",
  },
  build(config) {
    const method = config.choice("topk_method", ["greedy", "group_limited_greedy"], "greedy");
    if (method === "greedy") config.moot("n_group", "topk_group");
    const rules: RouteRules = {
      score: "softmax",
      order: "score-topk",
      k: config.size("num_experts_per_tok"),
      scale: config.float("routed_scaling_factor", 1),
      ...(method === "greedy"
        ? {}
        : { groups: { count: config.size("n_group"), keep: config.size("topk_group"), by: "max" } }),
    };
    return build(config, "deepseek_v2", { rules });
  },
};

/** Layers after the last that predict tokens further on: published checkpoints hold one, whether their config says so or not. */
function furtherLayers(config: Config): Harmless[] {
  const layers = config.count("num_hidden_layers");
  const further = Math.max(1, config.int(FURTHER_LAYERS, 1, 0, 16));
  return Array.from({ length: further }, (_, index) => ({
    match: new RegExp(`^model\\.layers\\.${layers + index}\\.`),
    reason: "a layer that predicts a further token, which plain decoding doesn't use",
  }));
}

const FURTHER_LAYERS = ["num_nextn_predict_layers", "num_mtp_layers"];

/** DeepSeek v3 and R1: experts by sigmoid, a bias in the choice only, the best groups by their two best. */
export const deepseekV3: Architecture = {
  id: "deepseek_v3",
  title: "DeepSeek-V3, DeepSeek-R1",
  modelTypes: ["deepseek_v3"],
  classNames: ["DeepseekV3ForCausalLM"],
  harmless: (config) => [TIED_HEAD, ...furtherLayers(config)],
  ignored: {
    ...IGNORED,
    ...Object.fromEntries(
      FURTHER_LAYERS.map((name) => [name, "layers that predict further tokens, which plain decoding doesn't use"]),
    ),
    scoring_func: "always sigmoid in this generation",
    topk_method: "always without auxiliary loss in this generation",
  },
  build(config) {
    const pairs = config.bool("rope_interleave", true) ? "interleaved" : "half";
    const rules: RouteRules = {
      score: "sigmoid",
      order: "score-topk",
      k: config.size("num_experts_per_tok"),
      renorm: config.bool("norm_topk_prob", true),
      scale: config.float("routed_scaling_factor", 2.5),
      groups: {
        count: config.sizeOrNone("n_group", 8) ?? 1,
        keep: config.sizeOrNone("topk_group", 4) ?? 1,
        by: "top2sum",
      },
    };
    return build(config, "deepseek_v3", { rules, bias: "gate.e_score_correction_bias" }, pairs, 4096);
  },
};
