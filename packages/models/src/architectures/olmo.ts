import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { type Norm, preNorm, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** OLMo: layer norms without weights, projections bounded. */
export const olmo: Architecture = {
  id: "olmo",
  title: "OLMo",
  modelTypes: ["olmo"],
  classNames: ["OlmoForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config);
    const norm: Norm = (d, x) => d.b.norm(x, { kind: "layer", eps: 1e-5 });
    return standardDecoder({
      name: "olmo",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
          clip: config.has("clip_qkv") ? config.float("clip_qkv") : undefined,
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
