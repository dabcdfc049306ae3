import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { layer } from "../blocks.ts";
import type { Config } from "../config.ts";
import { gpt2Decoder } from "../gpt2-decoder.ts";
import { CAUSAL_MASKS, COMMON_IGNORED, GPT2_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { headDim } from "../shape.ts";

const KINDS = ["global", "local"] as const;

/** The kind of each layer: a list, or in the published configs patterns with how often each repeats. */
function kinds(config: Config, layers: number): readonly string[] {
  if (config.has("attention_layers")) return config.strings("attention_layers", KINDS, layers);
  const types = config.raw.attention_types ?? [[["global", "local"], layers / 2]];
  const list = (types as [string[], number][]).flatMap(([pattern, times]) =>
    Array.from({ length: times }, () => pattern).flat(),
  );
  config.must(
    `\`attention_types\` that name each layer ${KINDS.join(" or ")}`,
    list.length === layers && list.every((kind) => KINDS.includes(kind as never)),
    `attention_types names ${list.length} layers of ${layers}, or others than ${KINDS.join(" and ")}`,
  );
  return list;
}

/** GPT-Neo: GPT-2 whose scores aren't scaled and whose layers alternate between all and the last few tokens. */
export const gptNeo: Architecture = {
  id: "gpt_neo",
  title: "GPT-Neo",
  modelTypes: ["gpt_neo"],
  classNames: ["GPTNeoForCausalLM"],
  harmless: [TIED_HEAD, CAUSAL_MASKS],
  ignored: {
    ...COMMON_IGNORED,
    ...GPT2_IGNORED,
    attention_types: "attention_layers says the same, where both are there",
    embed_dropout: "training only",
    resid_dropout: "training only",
  },
  build(config) {
    const width = config.size("hidden_size");
    const heads = config.size(["num_heads", "num_attention_heads"]);
    const layers = config.count(["num_layers", "num_hidden_layers"]);
    const context = config.size("max_position_embeddings", 2048);
    const vocab = config.size("vocab_size");
    const kind = kinds(config, layers);
    const window = config.size("window_size", 256);
    const norm = layer(width, config.positive("layer_norm_epsilon", 1e-5));
    const tied = config.bool("tie_word_embeddings", true);

    return gpt2Decoder({
      name: "gpt_neo",
      ...{ width, vocab, context, layers, tied, norm },
      attentionName: "attn.attention",
      attention: selfAttention({
        shape: { width, heads, groups: heads, dim: headDim(config, width, heads) },
        names: { q: "q_proj", k: "k_proj", v: "v_proj", out: "out_proj" },
        outBias: true,
        scale: 1,
        windows: (index) => (kind[index] === "local" ? window : undefined),
      }),
      mlp: plainMlp(
        {
          width,
          inner: config.size("intermediate_size", 4 * width),
          fn: readActivation(config, "activation_function", "gelu_new"),
          bias: true,
        },
        { up: "c_fc", down: "c_proj" },
      ),
    });
  },
};
