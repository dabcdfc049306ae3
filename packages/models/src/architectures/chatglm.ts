import type { Architecture } from "../architecture.ts";
import { type Part, selfAttention } from "../attention.ts";
import { layer, rms } from "../blocks.ts";
import { Decoder } from "../decoder.ts";
import { COMMON_IGNORED } from "../ignored.ts";
import { fusedGatedMlp } from "../mlp.ts";
import { inverseFrequencies } from "../rope.ts";
import { checkHeads } from "../shape.ts";

/** ChatGLM 2 and 3, GLM-4-9B in their own layout: half of each head rotated in neighbouring pairs, q | k | v fused. */
export const chatglm: Architecture = {
  id: "chatglm",
  title: "ChatGLM2, ChatGLM3, GLM-4-9B",
  modelTypes: ["chatglm"],
  classNames: ["ChatGLMModel", "ChatGLMForConditionalGeneration"],
  ignored: {
    ...COMMON_IGNORED,
    apply_query_key_layer_scaling: "scales and unscales by the layer's number, for half precision",
    attention_softmax_in_fp32: "everything is computed in float32",
    bias_dropout_fusion: "how the published code fuses its kernels",
    fp32_residual_connection: "everything is computed in float32",
    hidden_dropout: "training only",
    original_rope: "the published class doesn't read it",
    vocab_size: "padded_vocab_size is the table's",
  },
  build(config) {
    const width = config.size("hidden_size");
    const heads = config.size("num_attention_heads");
    const dim = config.size("kv_channels", Math.floor(width / heads));
    const groups = config.bool("multi_query_attention", false) ? config.size("multi_query_group_num", 1) : heads;
    const vocab = config.size(["padded_vocab_size", "vocab_size"]);
    const bias = config.bool("add_bias_linear", false);
    const eps = config.positive("layernorm_epsilon", 1e-5);
    const norm = config.bool("rmsnorm", true) ? rms(width, eps) : layer(width, eps);
    const afterNorm = config.bool("apply_residual_connection_post_layernorm", false);
    const last = config.bool("post_layer_norm", true);
    const tied = config.bool("tie_word_embeddings", false);
    config.only("pre_seq_len", 0);
    config.only("interleaved_qkv", false);
    config.only("quantization_bit", 0);
    const dims = Math.floor(dim / 2);
    const shape = checkHeads(config, { width, heads, groups, dim });
    const attention: Part = selfAttention({
      shape,
      rope: { dims, freqs: inverseFrequencies(10_000 * config.float("rope_ratio", 1), dims) },
      pairs: "interleaved",
      fused: "query_key_value",
      names: { q: "", k: "", v: "", out: "dense" },
      bias: bias || config.bool("add_qkv_bias", false),
      outBias: bias,
    });
    const mlp = fusedGatedMlp(
      { width, inner: config.size("ffn_hidden_size"), fn: "silu", bias },
      { both: "dense_h_to_4h", down: "dense_4h_to_h" },
    );

    const d = new Decoder({ name: "chatglm", context: config.size("seq_length", 2048), prefixes: ["transformer."] });
    const table = "embedding.word_embeddings.weight";
    const start = d.embedding(() => d.embed(d.ids, table, vocab, width));
    const stream = d.blocks(config.count(["num_layers", "num_hidden_layers"]), start, (index, x) => {
      const prefix = `encoder.layers.${index}`;
      const before = norm(d, x, `${prefix}.input_layernorm`);
      const middle = d.b.add(afterNorm ? before : x, attention(d, before, `${prefix}.self_attention`, index));
      const between = norm(d, middle, `${prefix}.post_attention_layernorm`);
      return d.b.add(afterNorm ? between : middle, mlp(d, between, `${prefix}.mlp`, index));
    });
    return d.head(stream, (rows) => {
      const normed = last ? norm(d, rows, "encoder.final_layernorm") : rows;
      return d.logits(normed, width, vocab, { table: tied ? table : undefined, name: "transformer.output_layer" });
    });
  },
};
