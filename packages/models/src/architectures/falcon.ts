import { readActivation } from "../activations.ts";
import { alibiSlopes, roundToBfloat16 } from "../alibi.ts";
import type { Architecture } from "../architecture.ts";
import type { Part } from "../attention.ts";
import { layer } from "../blocks.ts";
import { Decoder } from "../decoder.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { ROPE_FIELDS, readRope } from "../rope.ts";
import { checkHeads, headDim } from "../shape.ts";

const KEY_HEADS = ["num_kv_heads", "n_head_kv"];

/** Falcon: 7B with one key head for all, 40B, 180B and 11B with groups, RW with ALiBi and a head each. */
export const falcon: Architecture = {
  id: "falcon",
  title: "Falcon",
  modelTypes: ["falcon", "RefinedWeb", "RefinedWebModel"],
  classNames: ["FalconForCausalLM", "RWForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    hidden_dropout: "training only",
    apply_residual_connection_post_layernorm: "the published class doesn't read it",
  },
  build(config) {
    const width = config.size("hidden_size");
    const heads = config.size(["num_attention_heads", "n_head"]);
    const layers = config.count(["num_hidden_layers", "n_layer"]);
    const vocab = config.size("vocab_size");
    const context = config.size("max_position_embeddings", 2048);
    const dim = headDim(config, width, heads);
    // The first 40B's own class had no other layout, and so no field that says so; that of RW goes by the same name.
    const first = config.raw.model_type === "RefinedWeb" && !config.has("multi_query");
    const grouped = config.bool("new_decoder_architecture", first);
    const one = config.bool("multi_query", true);
    const groups = grouped ? config.size(KEY_HEADS, heads) : one ? 1 : heads;
    if (!grouped) config.moot(KEY_HEADS);
    checkHeads(config, { heads, groups });
    const beside = config.bool("parallel_attn", true);
    config.must(
      "`parallel_attn` true where `new_decoder_architecture` is",
      beside || !grouped,
      "parallel_attn is false, and new_decoder_architecture has it true",
    );
    const norms = grouped ? config.int("num_ln_in_parallel_attn", 2, 1) : 1;
    const bias = config.bool("bias", false);
    const tied = config.bool("tie_word_embeddings", true);
    const useAlibi = config.bool("alibi", false);
    const rope = useAlibi ? undefined : readRope(config, { headDim: dim });
    if (useAlibi) config.moot(ROPE_FIELDS);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    // The reference keeps slopes, and slope · position, in bfloat16, scales the sum with the product, and adds the same once
    // more with its mask: docs/decisions/0004.
    const times = config.bool("alibi_once", false) ? 1 : 2;
    const slopes = alibiSlopes(heads).map((slope) => times * roundToBfloat16(slope));
    const alibi = { slopes, anchor: "key", round: "bf16" } as const;

    const attention: Part = (d, x, prefix) => {
      const queries = heads / groups;
      const fused = d.linear(x, `${prefix}.query_key_value`, width, (heads + 2 * groups) * dim, { bias });
      // Per group: its queries, then its key, then its value.
      const [q, k, v] = d.b.split(d.b.reshape(fused, [groups, queries + 2, dim], 1), [queries, 1, 1], -2);
      const [qs, ks, vs] = [
        d.b.reshape(q, [heads, dim], 3),
        d.b.reshape(k, [groups, dim], 3),
        d.b.reshape(v, [groups, dim], 3),
      ];
      const scale = 1 / Math.sqrt(dim);
      const attended = rope
        ? d.attention(d.rotary(qs, rope), d.rotary(ks, rope), vs, { scale })
        : d.attention(qs, ks, vs, { scale, alibi });
      return d.linear(attended, `${prefix}.dense`, width, width, { bias });
    };
    const mlp = plainMlp(
      {
        width,
        inner: config.size("ffn_hidden_size", 4 * width),
        fn: readActivation(config, "activation", "gelu"),
        bias,
      },
      { up: "dense_h_to_4h", down: "dense_4h_to_h" },
    );

    const d = new Decoder({ name: "falcon", context, prefixes: ["transformer.", ""] });
    const table = "word_embeddings.weight";
    const start = d.embedding(() => d.embed(d.ids, table, vocab, width));
    const stream = d.blocks(layers, start, (index, x) => {
      const prefix = `h.${index}`;
      const two = beside && norms === 2;
      const before = norm(d, x, `${prefix}.${two ? "ln_attn" : "input_layernorm"}`);
      const attended = attention(d, before, `${prefix}.self_attention`, index);
      if (beside) {
        const entering = two ? norm(d, x, `${prefix}.ln_mlp`) : before;
        return d.b.add(d.b.add(x, attended), mlp(d, entering, `${prefix}.mlp`, index));
      }
      const middle = d.b.add(x, attended);
      return d.b.add(middle, mlp(d, norm(d, middle, `${prefix}.post_attention_layernorm`), `${prefix}.mlp`, index));
    });
    return d.head(stream, (rows) => d.logits(norm(d, rows, "ln_f"), width, vocab, { table: tied ? table : undefined }));
  },
};
