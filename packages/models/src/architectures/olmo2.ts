import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { postNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** OLMo 2: norms after each half, and on all of q and k at once. */
export const olmo2: Architecture = {
  id: "olmo2",
  title: "OLMo 2",
  modelTypes: ["olmo2"],
  classNames: ["Olmo2ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config);
    const eps = config.positive("rms_norm_eps", 1e-5);
    const norm = rms(shape.width, eps);
    return standardDecoder({
      name: "olmo2",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: postNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
          flatNorm: (d, x, prefix, which) =>
            d.rmsNorm(x, `${prefix}.${which}_norm`, (which === "q" ? shape.heads : shape.groups) * shape.dim, eps),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
