import type { Value } from "@llm/core-ir";
import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { layer } from "../blocks.ts";
import type { Decoder } from "../decoder.ts";
import { gpt2Decoder } from "../gpt2-decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, GPT2_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { headDim } from "../shape.ts";

/** GPTBigCode (StarCoder, SantaCoder): GPT-2 with plain linears, and one key and value head for all queries or one each. */
export const gptBigcode: Architecture = {
  id: "gpt_bigcode",
  title: "GPTBigCode (StarCoder, SantaCoder, WizardCoder)",
  modelTypes: ["gpt_bigcode"],
  classNames: ["GPTBigCodeForCausalLM"],
  harmless: [TIED_HEAD, CAUSAL_MASKS],
  ignored: {
    ...COMMON_IGNORED,
    ...GPT2_IGNORED,
    attention_softmax_in_fp32: "everything is computed in float32",
    scale_attention_softmax_in_fp32: "undone after the softmax; float32 needs no such care",
    inference_runner: "which of the published code's own ways to run",
    pad_key_length: "how the published code lays out its cache",
    pre_allocate_kv_cache: "how the published code lays out its cache",
    validate_runner_input: "what the published code checks",
    num_key_value_heads: "follows from multi_query in the published class",
  },
  build(config) {
    const width = config.size(["n_embd", "hidden_size"]);
    const heads = config.size(["n_head", "num_attention_heads"]);
    const context = config.size(["n_positions", "max_position_embeddings"]);
    const vocab = config.size("vocab_size");
    const inner = config.size("n_inner", 4 * width);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    const fn = readActivation(config, "activation_function", "gelu_pytorch_tanh");
    const multiQuery = config.bool("multi_query", true);
    const scaled = config.bool("scale_attn_weights", true);
    const tied = config.bool("tie_word_embeddings", true);
    config.only("add_cross_attention", false);
    const dim = headDim(config, width, heads);

    const bias = { bias: true };
    const layers = config.count(["n_layer", "num_hidden_layers"]);

    /** Rows are q | k | v with one head of k and v; or, with a head each, q, k and v of one head after another. */
    const projections = (d: Decoder, x: Value, name: string): readonly Value[] => {
      if (multiQuery) {
        const [q, k, v] = d.b.split(d.linear(x, name, width, width + 2 * dim, bias), [width, dim, dim]);
        return [d.heads(q, heads, dim), d.heads(k, 1, dim), d.heads(v, 1, dim)];
      }
      return d.b.split(d.heads(d.linear(x, name, width, 3 * width, bias), heads, 3 * dim), [dim, dim, dim]);
    };

    return gpt2Decoder({
      name: "gpt_bigcode",
      ...{ width, vocab, context, layers, tied, norm },
      attention: (d, x, prefix) => {
        const [q, k, v] = projections(d, x, `${prefix}.c_attn`);
        const attended = d.attention(q, k, v, { scale: scaled ? 1 / Math.sqrt(dim) : 1 });
        return d.linear(attended, `${prefix}.c_proj`, width, width, bias);
      },
      mlp: plainMlp({ width, inner, fn, ...bias }, { up: "c_fc", down: "c_proj" }),
    });
  },
};
