import { mptSlopes } from "../alibi.ts";
import type { Architecture } from "../architecture.ts";
import type { Part } from "../attention.ts";
import { layer } from "../blocks.ts";
import type { Config } from "../config.ts";
import { Decoder } from "../decoder.ts";
import { COMMON_IGNORED, GENERIC_IGNORED, ignoredUnder, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { checkHeads, headDim } from "../shape.ts";

/** How many heads of keys and values an attention type has. */
function keyHeads(attention: Config, heads: number): number {
  const type = attention.choice(
    "attn_type",
    ["multihead_attention", "multiquery_attention", "grouped_query_attention"],
    "multihead_attention",
  );
  if (type === "grouped_query_attention") return attention.size("kv_n_heads");
  return type === "multiquery_attention" ? 1 : heads;
}

/** Linears may be of a kind, said by its name or as an object that has one. */
function plainLinears(config: Config): void {
  const named = typeof config.raw.fc_type === "object" && config.has("fc_type");
  if (named) config.part("fc_type").only("name", "torch");
  else config.only("fc_type", "torch");
}

/** MPT: ALiBi or learned positions, projections that may be bounded and normed, no biases as a rule. */
export const mpt: Architecture = {
  id: "mpt",
  title: "MPT",
  modelTypes: ["mpt"],
  classNames: ["MptForCausalLM", "MPTForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    embedding_fraction: "training only",
    emb_pdrop: "training only",
    emb_prob_drop: "training only",
    init_config: "training only",
    init_device: "training only",
    tokenizer_name: "the tokenizer's",
    verbose: "what the published code prints",
    ...ignoredUnder("attn_config", GENERIC_IGNORED),
    "attn_config.attn_impl": "which kernel computes the same",
    "attn_config.attn_pdrop": "training only",
  },
  build(config) {
    const width = config.size("d_model");
    const heads = config.size("n_heads");
    const layers = config.count("n_layers");
    const context = config.size("max_seq_len", 2048);
    const vocab = config.size("vocab_size");
    const dim = headDim(config, width, heads);
    const attn = config.part("attn_config");
    const groups = keyHeads(attn, heads);
    checkHeads(config, { heads, groups });
    attn.only("prefix_lm", false);
    attn.only("attn_uses_sequence_id", false);
    attn.only("rope", false);
    attn.only("sliding_window_size", -1);
    config.only("norm_type", "low_precision_layernorm", "layernorm");
    const ffn = config.part("ffn_config");
    ffn.only("ffn_type", "mptmlp");
    for (const place of [config, ffn]) plainLinears(place);
    const bias = !config.bool("no_bias", true);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5), { bias });
    const eps = 1e-5;
    const useAlibi = attn.bool("alibi", true); // as transformers assumes; llm-foundry always says
    const max = attn.float("alibi_bias_max", 8);
    // With ALiBi on, the published code drops learned positions whatever the config says.
    const learned = config.bool("learned_pos_emb", true) && !useAlibi;
    const alibi = useAlibi ? { slopes: mptSlopes(heads, max), anchor: "relative" as const } : undefined;
    const clip = attn.has("clip_qkv") ? attn.float("clip_qkv") : undefined;
    const normed = attn.bool("qk_ln", false);
    const scale = attn.float("softmax_scale", 1 / Math.sqrt(dim));
    const tied = config.bool("tie_word_embeddings", true);
    const logitScale =
      config.raw.logit_scale === "inv_sqrt_d_model" ? 1 / Math.sqrt(width) : config.float("logit_scale", 1);

    const attention: Part = (d, x, prefix) => {
      const fused = d.linear(x, `${prefix}.Wqkv`, width, width + 2 * groups * dim, { bias });
      const bounded = clip === undefined ? fused : d.b.clip(fused, { min: -clip, max: clip });
      const [q, k, v] = d.b.split(bounded, [width, groups * dim, groups * dim]);
      const qn = normed ? d.layerNorm(q, `${prefix}.q_ln`, width, eps, { bias }) : q;
      const kn = normed ? d.layerNorm(k, `${prefix}.k_ln`, groups * dim, eps, { bias }) : k;
      const attended = d.attention(d.heads(qn, heads, dim), d.heads(kn, groups, dim), d.heads(v, groups, dim), {
        scale,
        alibi,
      });
      return d.linear(attended, `${prefix}.out_proj`, width, width, { bias });
    };
    const mlp = plainMlp(
      { width, inner: config.size("expansion_ratio", 4) * width, fn: "gelu", bias },
      { up: "up_proj", down: "down_proj" },
    );

    const d = new Decoder({ name: "mpt", context, prefixes: ["transformer.", ""] });
    const start = d.embedding(() => {
      const x = d.embed(d.ids, "wte.weight", vocab, width);
      return learned ? d.b.add(x, d.embed(d.positions, "wpe.weight", context, width)) : x;
    });
    const stream = d.blocks(layers, start, (index, x) => {
      const prefix = `blocks.${index}`;
      const middle = d.b.add(x, attention(d, norm(d, x, `${prefix}.norm_1`), `${prefix}.attn`, index));
      return d.b.add(middle, mlp(d, norm(d, middle, `${prefix}.norm_2`), `${prefix}.ffn`, index));
    });
    return d.head(stream, (rows) => {
      const logits = d.logits(norm(d, rows, "norm_f"), width, vocab, { table: tied ? "wte.weight" : undefined });
      return d.b.scale(logits, logitScale);
    });
  },
};
