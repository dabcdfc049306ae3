import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { qwenWindows } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Qwen2 and 2.5: Llama with biases on q, k and v; later layers may slide. */
export const qwen2: Architecture = {
  id: "qwen2",
  title: "Qwen2, Qwen2.5",
  modelTypes: ["qwen2"],
  classNames: ["Qwen2ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config, { context: 32_768 });
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6));
    return standardDecoder({
      name: "qwen2",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: true,
          outBias: false,
          windows: qwenWindows(config, shape.layers),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
