import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Llama: RMS norms, rotary positions, grouped key and value heads, a gated MLP. */
export const llama: Architecture = {
  id: "llama",
  title: "Llama 1–3, CodeLlama, CodeGen2.5, XGen",
  modelTypes: ["llama"],
  classNames: ["LlamaForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, pretraining_tp: "splits a linear in pieces that add up to the same" },
  build(config) {
    const shape = readShape(config);
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6));
    return standardDecoder({
      name: "llama",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
        }),
        mlp: gatedMlp({
          ...shape,
          fn: readActivation(config, "hidden_act", "silu"),
          bias: config.bool("mlp_bias", false),
        }),
      }),
    });
  },
};
