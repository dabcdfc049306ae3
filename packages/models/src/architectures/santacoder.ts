import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { layer } from "../blocks.ts";
import { gpt2Decoder } from "../gpt2-decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, GPT2_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { headDim } from "../shape.ts";

/** SantaCoder as first published: GPT-2's Conv1D tensors, with one projection for queries and one for the common key and value. */
export const santacoder: Architecture = {
  id: "santacoder",
  title: "SantaCoder (its own layout)",
  modelTypes: ["gpt2"],
  classNames: ["GPT2LMHeadCustomModel"],
  harmless: [CAUSAL_MASKS, TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...GPT2_IGNORED },
  build(config, shapes) {
    const width = config.size("n_embd");
    const heads = config.size("n_head");
    const context = config.size("n_positions");
    const vocab = config.size("vocab_size");
    const dim = headDim(config, width, heads);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    // Configs in this layout are known whose n_inner is not the MLP's: the tensor is right.
    const said = config.size("n_inner", 4 * width);
    const inner = shapes?.("transformer.h.0.mlp.c_fc.weight")?.[1] ?? said;
    const scaled = config.bool("scale_attn_weights", true);
    const byLayer = config.bool("scale_attn_by_inverse_layer_idx", false);
    config.only("attention_head_type", "multiquery");
    config.only("add_cross_attention", false);
    config.only("tie_word_embeddings", true);
    const conv = { bias: true, transposed: true };

    return gpt2Decoder({
      name: "santacoder",
      ...{ width, vocab, context, norm },
      layers: config.count("n_layer"),
      tied: true,
      attention: (d, x, prefix, index) => {
        const q = d.heads(d.linear(x, `${prefix}.q_attn`, width, width, conv), heads, dim);
        const [k, v] = d.b
          .split(d.linear(x, `${prefix}.kv_attn`, width, 2 * dim, conv), [dim, dim])
          .map((part) => d.heads(part, 1, dim));
        const scale = (scaled ? 1 / Math.sqrt(dim) : 1) / (byLayer ? index + 1 : 1);
        return d.linear(d.attention(q, k, v, { scale }), `${prefix}.c_proj`, width, width, conv);
      },
      mlp: plainMlp(
        { width, inner, fn: readActivation(config, "activation_function", "gelu_fast"), ...conv },
        { up: "c_fc", down: "c_proj" },
      ),
    });
  },
};
