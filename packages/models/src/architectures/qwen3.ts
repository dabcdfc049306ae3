import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { rmsHeads, selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { qwenWindows } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Qwen3: Qwen2 with an RMS norm on every query and key head. */
export const qwen3: Architecture = {
  id: "qwen3",
  title: "Qwen3",
  modelTypes: ["qwen3"],
  classNames: ["Qwen3ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config, { context: 32_768 });
    const eps = config.positive("rms_norm_eps", 1e-6);
    const norm = rms(shape.width, eps);
    return standardDecoder({
      name: "qwen3",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
          windows: qwenWindows(config, shape.layers),
          headNorm: rmsHeads(shape.dim, eps),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
