import { alibiSlopes } from "../alibi.ts";
import type { Architecture } from "../architecture.ts";
import type { Part } from "../attention.ts";
import { layer } from "../blocks.ts";
import { Decoder } from "../decoder.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { headDim } from "../shape.ts";

/** BLOOM: ALiBi, a norm on the embedding, q, k and v of one head after another. */
export const bloom: Architecture = {
  id: "bloom",
  title: "BLOOM",
  modelTypes: ["bloom"],
  classNames: ["BloomForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    attention_softmax_in_fp32: "everything is computed in float32",
    hidden_dropout: "training only",
    bias_dropout_fusion: "how the published code fuses its kernels",
    masked_softmax_fusion: "how the published code fuses its kernels",
    offset_alibi: "the published class doesn't read it",
    pretraining_tp: "splits a linear in pieces that add up to the same",
    skip_bias_add: "how the published code fuses its kernels",
    skip_bias_add_qkv: "how the published code fuses its kernels",
    slow_but_exact: "chooses how the pieces of a split linear are added up",
    unk_token_id: "the tokenizer's",
  },
  build(config) {
    const width = config.size(["hidden_size", "n_embed"]);
    const heads = config.size(["n_head", "num_attention_heads"]);
    const vocab = config.size("vocab_size");
    const dim = headDim(config, width, heads);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    const afterNorm = config.bool("apply_residual_connection_post_layernorm", false);
    const tied = config.bool("tie_word_embeddings", true);
    const alibi = { slopes: alibiSlopes(heads), anchor: "relative" as const };
    const attention: Part = (d, x, prefix) => {
      const fused = d.heads(d.linear(x, `${prefix}.query_key_value`, width, 3 * width, { bias: true }), heads, 3 * dim);
      const [q, k, v] = d.b.split(fused, [dim, dim, dim]);
      return d.linear(d.attention(q, k, v, { scale: 1 / Math.sqrt(dim), alibi }), `${prefix}.dense`, width, width, {
        bias: true,
      });
    };
    const mlp = plainMlp(
      { width, inner: 4 * width, fn: "gelu_tanh", bias: true },
      { up: "dense_h_to_4h", down: "dense_4h_to_h" },
    );

    const d = new Decoder({
      name: "bloom",
      context: config.size(["seq_length", "max_position_embeddings"], 2048),
      prefixes: ["transformer.", ""],
    });
    const table = "word_embeddings.weight";
    const start = d.embedding(() => norm(d, d.embed(d.ids, table, vocab, width), "word_embeddings_layernorm"));
    const stream = d.blocks(config.count(["n_layer", "num_hidden_layers"]), start, (index, x) => {
      const prefix = `h.${index}`;
      const before = norm(d, x, `${prefix}.input_layernorm`);
      const middle = d.b.add(afterNorm ? before : x, attention(d, before, `${prefix}.self_attention`, index));
      const between = norm(d, middle, `${prefix}.post_attention_layernorm`);
      return d.b.add(afterNorm ? between : middle, mlp(d, between, `${prefix}.mlp`, index));
    });
    return d.head(stream, (rows) => d.logits(norm(d, rows, "ln_f"), width, vocab, { table: tied ? table : undefined }));
  },
};
