import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { layer, type Norm } from "../blocks.ts";
import { Decoder } from "../decoder.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { headDim } from "../shape.ts";

/** Learned positions start at this row of their table. */
const OFFSET = 2;

/** OPT: learned positions; the 350M one norms after each half, and its embedding is narrower than its stream. */
export const opt: Architecture = {
  id: "opt",
  title: "OPT",
  modelTypes: ["opt"],
  classNames: ["OPTForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    activation_dropout: "training only",
    dropout: "training only",
    init_std: "training only",
    layerdrop: "training only",
    prefix: "the tokenizer's",
  },
  build(config) {
    const width = config.size("hidden_size");
    const heads = config.size("num_attention_heads");
    const layers = config.count("num_hidden_layers");
    const context = config.size("max_position_embeddings", 2048);
    const vocab = config.size("vocab_size");
    const narrow = config.size("word_embed_proj_dim", width);
    const before = config.bool("do_layer_norm_before", true);
    const bias = config.bool("enable_bias", true);
    const weights = config.bool("layer_norm_elementwise_affine", true);
    const unnormed = config.bool("_remove_final_layer_norm", false);
    const last = before && !unnormed;
    const tied = config.bool("tie_word_embeddings", true);
    const norm: Norm = weights ? layer(width, 1e-5) : (d, x) => d.b.norm(x, { kind: "layer", eps: 1e-5 });
    const attention = selfAttention({
      shape: { width, heads, groups: heads, dim: headDim(config, width, heads) },
      names: { q: "q_proj", k: "k_proj", v: "v_proj", out: "out_proj" },
      bias,
    });
    const fn = readActivation(config, "activation_function", "relu");
    const mlp = plainMlp({ width, inner: config.size("ffn_dim"), fn, bias }, { up: "fc1", down: "fc2" });

    const d = new Decoder({ name: "opt", context, prefixes: ["model.decoder.", "decoder."] });
    const start = d.embedding(() => {
      const x = d.embed(d.ids, "embed_tokens.weight", vocab, narrow);
      const wide = narrow === width ? x : d.linear(x, "project_in", narrow, width);
      return d.b.add(wide, d.embed(d.positions, "embed_positions.weight", context + OFFSET, width, OFFSET));
    });
    const stream = d.blocks(layers, start, (index, x) => {
      const prefix = `layers.${index}`;
      const first = (v: typeof x) => norm(d, v, `${prefix}.self_attn_layer_norm`);
      const second = (v: typeof x) => norm(d, v, `${prefix}.final_layer_norm`);
      const attended = d.b.add(x, attention(d, before ? first(x) : x, `${prefix}.self_attn`, index));
      const middle = before ? attended : first(attended);
      const made = d.b.add(middle, mlp(d, before ? second(middle) : middle, prefix, index));
      return before ? made : second(made);
    });
    return d.head(stream, (rows) => {
      const normed = last ? norm(d, rows, "final_layer_norm") : rows;
      const out = narrow === width ? normed : d.linear(normed, "project_out", width, narrow);
      return d.logits(out, narrow, vocab, { table: tied ? "embed_tokens.weight" : undefined });
    });
  },
};
