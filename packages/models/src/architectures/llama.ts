import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { Decoder } from "../decoder.ts";
import { COMMON_IGNORED } from "../ignored.ts";
import { readRope } from "../rope.ts";

/** Llama: RMS norms, rotary positions, grouped key and value heads, a gated MLP. */
export const llama: Architecture = {
  id: "llama",
  title: "Llama 1–3, CodeLlama, CodeGen2.5, XGen",
  modelTypes: ["llama"],
  classNames: ["LlamaForCausalLM"],
  harmless: [{ pattern: /\.rotary_emb\.inv_freq$/, reason: "rotary frequencies, which are computed from the config" }],
  ignored: {
    ...COMMON_IGNORED,
    pretraining_tp: "splits a linear in pieces that add up to the same",
  },
  build(config) {
    const width = config.size("hidden_size");
    const heads = config.size("num_attention_heads");
    const groups = config.size("num_key_value_heads", heads);
    const dim = config.size("head_dim", Math.floor(width / heads));
    const inner = config.size("intermediate_size");
    const vocab = config.size("vocab_size");
    const context = config.size("max_position_embeddings", 2048);
    const eps = config.float("rms_norm_eps", 1e-6);
    const fn = readActivation(config, "hidden_act", "silu");
    const attentionBias = { bias: config.bool("attention_bias", false) };
    const mlpBias = { bias: config.bool("mlp_bias", false) };
    const tied = config.bool("tie_word_embeddings", false);
    const rope = readRope(config, { headDim: dim });
    if (heads % groups !== 0) throw config.unsupported(`${heads} heads can't share ${groups} key and value heads`);

    const d = new Decoder({ name: "llama", context, prefixes: ["model."] });
    const embedded = d.embedding(() => d.embed(d.ids, "embed_tokens.weight", vocab, width));
    const stream = d.blocks(config.size("num_hidden_layers"), embedded, (i, x) => {
      const layer = `layers.${i}`;
      const normed = d.rmsNorm(x, `${layer}.input_layernorm`, width, eps);
      const project = (name: string, count: number) =>
        d.heads(d.linear(normed, `${layer}.self_attn.${name}`, width, count * dim, attentionBias), count, dim);
      const q = d.rotary(project("q_proj", heads), rope);
      const k = d.rotary(project("k_proj", groups), rope);
      const attended = d.attention(q, k, project("v_proj", groups), { scale: 1 / Math.sqrt(dim) });
      const middle = d.b.add(x, d.linear(attended, `${layer}.self_attn.o_proj`, heads * dim, width, attentionBias));
      const m = d.rmsNorm(middle, `${layer}.post_attention_layernorm`, width, eps);
      const gated = d.b.glu(
        d.linear(m, `${layer}.mlp.gate_proj`, width, inner, mlpBias),
        d.linear(m, `${layer}.mlp.up_proj`, width, inner, mlpBias),
        fn,
      );
      return d.b.add(middle, d.linear(gated, `${layer}.mlp.down_proj`, inner, width, mlpBias));
    });
    return d.head(stream, (rows) =>
      d.logits(d.rmsNorm(rows, "norm", width, eps), width, vocab, tied, "embed_tokens.weight"),
    );
  },
};
