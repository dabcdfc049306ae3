import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Granite: Llama with factors on the embedding, the residuals, the attention and the logits. */
export const granite: Architecture = {
  id: "granite",
  title: "Granite 3",
  modelTypes: ["granite"],
  classNames: ["GraniteForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config);
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6));
    const embedding = config.float("embedding_multiplier", 1);
    const logits = config.float("logits_scaling", 1);
    return standardDecoder({
      name: "granite",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      embedded: (d, x) => d.b.scale(x, embedding),
      logits: (d, x) => d.b.scale(x, 1 / logits),
      block: preNorm({
        norm,
        residual: config.float("residual_multiplier", 1),
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
          scale: config.float("attention_multiplier", 1),
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
