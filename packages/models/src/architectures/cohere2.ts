import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { layer, parallel, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { slidingLayers } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Cohere 2 (Command R7B, A): sliding layers are rotated, those that see everything know no positions. */
export const cohere2: Architecture = {
  id: "cohere2",
  title: "Command R7B, Command A",
  modelTypes: ["cohere2"],
  classNames: ["Cohere2ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config, { context: 8192 });
    const norm = layer(shape.width, config.positive("layer_norm_eps", 1e-5), { bias: false });
    const scale = config.float("logit_scale", 0.0625);
    const every = config.size(["sliding_window_pattern", "_sliding_window_pattern"], 4);
    const slides = slidingLayers(config, shape.layers, (index) => (index + 1) % every !== 0);
    const window = config.size("sliding_window", 4096);
    const rope = readRope(config, { headDim: shape.dim });
    return standardDecoder({
      name: "cohere2",
      shape,
      tied: config.bool("tie_word_embeddings", true),
      last: norm,
      logits: (d, x) => d.b.scale(x, scale),
      block: parallel({
        norm,
        attention: selfAttention({
          shape,
          rope: (index) => (slides[index] ? rope : undefined),
          pairs: "interleaved",
          bias: config.bool("attention_bias", false),
          windows: (index) => (slides[index] ? window : undefined),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
