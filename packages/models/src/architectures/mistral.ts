import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { commonWindow } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Mistral: Llama whose attention may slide, in all layers alike. */
export const mistral: Architecture = {
  id: "mistral",
  title: "Mistral",
  modelTypes: ["mistral"],
  classNames: ["MistralForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config, { context: 131_072 });
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6));
    return standardDecoder({
      name: "mistral",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          windows: commonWindow(config, 4096),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
