import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import type { Part } from "../attention.ts";
import { layer, preNorm } from "../blocks.ts";
import { Decoder } from "../decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { headDim } from "../shape.ts";

/** GPT-NeoX (Pythia): q, k and v of one head after another; both halves beside each other, each with its norm. */
export const gptNeox: Architecture = {
  id: "gpt_neox",
  title: "GPT-NeoX, Pythia",
  modelTypes: ["gpt_neox"],
  classNames: ["GPTNeoXForCausalLM"],
  harmless: [TIED_HEAD, CAUSAL_MASKS],
  ignored: {
    ...COMMON_IGNORED,
    attention_probs_dropout_prob: "training only",
    hidden_dropout: "training only",
    hidden_dropout_prob: "training only",
    is_decoder: "it always is",
  },
  build(config) {
    const width = config.size("hidden_size");
    const heads = config.size("num_attention_heads");
    const layers = config.count("num_hidden_layers");
    const context = config.size("max_position_embeddings", 2048);
    const vocab = config.size("vocab_size");
    const dim = headDim(config, width, heads);
    const norm = layer(width, config.positive("layer_norm_eps", 1e-5));
    const rope = readRope(config, { headDim: dim, partialFactor: 0.25 });
    const bias = config.bool("attention_bias", true);
    const tied = config.bool("tie_word_embeddings", false);
    const attention: Part = (d, x, prefix) => {
      const fused = d.heads(d.linear(x, `${prefix}.query_key_value`, width, 3 * width, { bias }), heads, 3 * dim);
      const [q, k, v] = d.b.split(fused, [dim, dim, dim]);
      const attended = d.attention(d.rotary(q, rope), d.rotary(k, rope), v, { scale: 1 / Math.sqrt(dim) });
      return d.linear(attended, `${prefix}.dense`, width, width, { bias });
    };
    const mlp = plainMlp(
      { width, inner: config.size("intermediate_size"), fn: readActivation(config, "hidden_act", "gelu"), bias: true },
      { up: "dense_h_to_4h", down: "dense_4h_to_h" },
    );
    const names = {
      before: "input_layernorm",
      between: "post_attention_layernorm",
      attention: "attention",
      mlp: "mlp",
    };
    const serial = preNorm({ norm, attention, mlp, names });
    const isParallel = config.bool("use_parallel_residual", true);

    const d = new Decoder({ name: "gpt_neox", context, prefixes: ["gpt_neox."] });
    const start = d.embedding(() => d.embed(d.ids, "embed_in.weight", vocab, width));
    const stream = d.blocks(layers, start, (index, x) => {
      const prefix = `layers.${index}`;
      if (!isParallel) return serial(d, x, prefix, index);
      const attended = attention(d, norm(d, x, `${prefix}.${names.before}`), `${prefix}.attention`, index);
      const made = mlp(d, norm(d, x, `${prefix}.${names.between}`), `${prefix}.mlp`, index);
      return d.b.add(d.b.add(x, attended), made);
    });
    return d.head(stream, (rows) =>
      d.logits(norm(d, rows, "final_layer_norm"), width, vocab, {
        table: tied ? "embed_in.weight" : undefined,
        name: "embed_out",
      }),
    );
  },
};
