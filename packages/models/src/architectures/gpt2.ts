import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { Decoder } from "../decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, GPT2_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { headDim } from "../shape.ts";

/** GPT-2: learned positions, LayerNorm before each half, Conv1D weights stored [in, out]. */
export const gpt2: Architecture = {
  id: "gpt2",
  title: "GPT-2",
  modelTypes: ["gpt2"],
  classNames: ["GPT2LMHeadModel"],
  harmless: [TIED_HEAD, CAUSAL_MASKS],
  ignored: { ...COMMON_IGNORED, ...GPT2_IGNORED },
  build(config) {
    const width = config.size(["n_embd", "hidden_size"]);
    const heads = config.size(["n_head", "num_attention_heads"]);
    const context = config.size(["n_positions", "max_position_embeddings"]);
    const vocab = config.size("vocab_size");
    const inner = config.size("n_inner", 4 * width);
    const eps = config.positive("layer_norm_epsilon", 1e-5);
    const fn = readActivation(config, "activation_function", "gelu_new");
    const scaled = config.bool("scale_attn_weights", true);
    const byLayer = config.bool("scale_attn_by_inverse_layer_idx", false);
    const tied = config.bool("tie_word_embeddings", true);
    config.only("add_cross_attention", false);
    const dim = headDim(config, width, heads);

    const d = new Decoder({ name: "gpt2", context, prefixes: ["transformer.", ""] });
    const conv = { bias: true, transposed: true };
    const mlp = plainMlp({ width, inner, fn, ...conv }, { up: "c_fc", down: "c_proj" });
    const embedded = d.embedding(() =>
      d.b.add(d.embed(d.ids, "wte.weight", vocab, width), d.embed(d.positions, "wpe.weight", context, width)),
    );
    const stream = d.blocks(config.count(["n_layer", "num_hidden_layers"]), embedded, (i, x) => {
      const h = `h.${i}`;
      const qkv = d.linear(d.layerNorm(x, `${h}.ln_1`, width, eps), `${h}.attn.c_attn`, width, 3 * width, conv);
      const [q, k, v] = d.b.split(qkv, [width, width, width]).map((part) => d.heads(part, heads, dim));
      const scale = (scaled ? 1 / Math.sqrt(dim) : 1) / (byLayer ? i + 1 : 1);
      const attended = d.linear(d.attention(q, k, v, { scale }), `${h}.attn.c_proj`, width, width, conv);
      const middle = d.b.add(x, attended);
      const normed = d.layerNorm(middle, `${h}.ln_2`, width, eps);
      return d.b.add(middle, mlp(d, normed, `${h}.mlp`, i));
    });
    return d.head(stream, (rows) =>
      d.logits(d.layerNorm(rows, "ln_f", width, eps), width, vocab, { table: tied ? "wte.weight" : undefined }),
    );
  },
};
