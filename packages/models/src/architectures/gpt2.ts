import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { layer } from "../blocks.ts";
import { gpt2Decoder } from "../gpt2-decoder.ts";
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
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    const fn = readActivation(config, "activation_function", "gelu_new");
    const scaled = config.bool("scale_attn_weights", true);
    const byLayer = config.bool("scale_attn_by_inverse_layer_idx", false);
    const tied = config.bool("tie_word_embeddings", true);
    config.only("add_cross_attention", false);
    const dim = headDim(config, width, heads);

    const conv = { bias: true, transposed: true };
    const layers = config.count(["n_layer", "num_hidden_layers"]);

    return gpt2Decoder({
      name: "gpt2",
      ...{ width, vocab, context, layers, tied, norm },
      attention: (d, x, prefix, index) => {
        const qkv = d.linear(x, `${prefix}.c_attn`, width, 3 * width, conv);
        const [q, k, v] = d.b.split(qkv, [width, width, width]).map((part) => d.heads(part, heads, dim));
        const scale = (scaled ? 1 / Math.sqrt(dim) : 1) / (byLayer ? index + 1 : 1);
        return d.linear(d.attention(q, k, v, { scale }), `${prefix}.c_proj`, width, width, conv);
      },
      mlp: plainMlp({ width, inner, fn, ...conv }, { up: "c_fc", down: "c_proj" }),
    });
  },
};
