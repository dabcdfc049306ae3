import { readActivation } from "../activations.ts";
import { alibiSlopes } from "../alibi.ts";
import type { Architecture } from "../architecture.ts";
import type { Part } from "../attention.ts";
import { layer, preNorm } from "../blocks.ts";
import { Decoder } from "../decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, GPT2_IGNORED, TIED_HEAD } from "../ignored.ts";
import { headDim } from "../shape.ts";

/** Jais: GPT-2 with ALiBi, a gated MLP, and the factors of maximal update parametrisation. */
export const jais: Architecture = {
  id: "jais",
  title: "Jais",
  modelTypes: ["jais"],
  classNames: ["JAISLMHeadModel"],
  harmless: [
    TIED_HEAD,
    CAUSAL_MASKS,
    { match: /(^|\.)relative_pe\.slopes$/, reason: "ALiBi's slopes, which are computed" },
  ],
  ignored: { ...COMMON_IGNORED, ...GPT2_IGNORED },
  build(config) {
    const width = config.size(["n_embd", "hidden_size"]);
    const heads = config.size(["n_head", "num_attention_heads"]);
    const context = config.size(["n_positions", "max_position_embeddings"]);
    const vocab = config.size("vocab_size");
    const inner = config.size("n_inner", 4 * width);
    const dim = headDim(config, width, heads);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    const gated = config.raw.activation_function === "swiglu";
    if (gated) config.moot("activation_function"); // it is no function of one value
    const fn = gated ? "silu" : readActivation(config, "activation_function", "gelu_new");
    const scaled = config.bool("scale_attn_weights", true);
    const byLayer = config.bool("scale_attn_by_inverse_layer_idx", false);
    const byDim = config.bool(["mup_scale_qk_dot_by_d", "scale_qk_dot_by_d"], false);
    const embedding = config.float(["mup_embeddings_scale", "embeddings_scale"], 1);
    const output = config.float("mup_output_alpha", 1) * config.float(["mup_width_scale", "width_scale"], 1);
    const tied = config.bool("tie_word_embeddings", true);
    const useAlibi = config.choice("position_embedding_type", ["alibi", "learned"], "learned") === "alibi";
    config.only("alibi_scaling", false);
    config.only("add_cross_attention", false);
    const alibi = useAlibi ? { slopes: alibiSlopes(heads), anchor: "relative" as const } : undefined;
    const conv = { bias: true, transposed: true };

    const attention: Part = (d, x, prefix, index) => {
      const qkv = d.linear(x, `${prefix}.c_attn`, width, 3 * width, conv);
      const [q, k, v] = d.b.split(qkv, [width, width, width]).map((part) => d.heads(part, heads, dim));
      const scale = (scaled ? (byDim ? 1 / dim : 1 / Math.sqrt(dim)) : 1) / (byLayer ? index + 1 : 1);
      return d.linear(d.attention(q, k, v, { scale, alibi }), `${prefix}.c_proj`, width, width, conv);
    };
    const mlp: Part = (d, x, prefix) => {
      const up = d.linear(x, `${prefix}.c_fc`, width, inner, conv);
      const made = gated ? d.b.glu(d.linear(x, `${prefix}.c_fc2`, width, inner, conv), up, fn) : d.b.activation(up, fn);
      return d.linear(made, `${prefix}.c_proj`, inner, width, conv);
    };
    const block = preNorm({
      norm,
      attention,
      mlp,
      names: { before: "ln_1", between: "ln_2", attention: "attn", mlp: "mlp" },
    });

    const d = new Decoder({ name: "jais", context, prefixes: ["transformer.", ""] });
    const start = d.embedding(() => {
      const x = d.embed(d.ids, "wte.weight", vocab, width);
      return d.b.scale(useAlibi ? x : d.b.add(x, d.embed(d.positions, "wpe.weight", context, width)), embedding);
    });
    const stream = d.blocks(config.count(["n_layer", "num_hidden_layers"]), start, (index, x) =>
      block(d, x, `h.${index}`, index),
    );
    return d.head(stream, (rows) => {
      const logits = d.logits(norm(d, rows, "ln_f"), width, vocab, { table: tied ? "wte.weight" : undefined });
      return d.b.scale(logits, output);
    });
  },
};
