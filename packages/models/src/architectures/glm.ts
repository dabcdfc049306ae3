import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { type Part, selfAttention } from "../attention.ts";
import { preNorm, rms, sandwich, standardDecoder } from "../blocks.ts";
import type { Config } from "../config.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { fusedGatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape, type Shape } from "../shape.ts";

/** What both generations of GLM share. */
function parts(config: Config): { shape: Shape; attention: Part; mlp: Part; eps: number } {
  const shape = readShape(config, { context: 131_072 });
  return {
    shape,
    eps: config.positive("rms_norm_eps", 1.5625e-7),
    attention: selfAttention({
      shape,
      rope: readRope(config, { headDim: shape.dim, partialFactor: 0.5 }),
      pairs: "interleaved",
      bias: config.bool("attention_bias", true),
      outBias: false,
    }),
    mlp: fusedGatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
  };
}

/** GLM-4 as transformers publishes it: neighbouring pairs of half a head rotated, gate and up fused. */
export const glm: Architecture = {
  id: "glm",
  title: "GLM-4 (transformers layout)",
  modelTypes: ["glm"],
  classNames: ["GlmForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const { shape, eps, ...halves } = parts(config);
    const norm = rms(shape.width, eps);
    const tied = config.bool("tie_word_embeddings", false);
    return standardDecoder({ name: "glm", shape, tied, last: norm, block: preNorm({ norm, ...halves }) });
  },
};

/** GLM-4-0414: GLM with a norm after each half too. */
export const glm4: Architecture = {
  id: "glm4",
  title: "GLM-4-0414",
  modelTypes: ["glm4"],
  classNames: ["Glm4ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const { shape, eps, ...halves } = parts(config);
    const norm = rms(shape.width, eps);
    const names = {
      before: "input_layernorm",
      after: "post_self_attn_layernorm",
      beforeMlp: "post_attention_layernorm",
      afterMlp: "post_mlp_layernorm",
    };
    const tied = config.bool("tie_word_embeddings", false);
    return standardDecoder({ name: "glm4", shape, tied, last: norm, block: sandwich({ norm, ...halves }, names) });
  },
};
