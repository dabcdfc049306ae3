import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { everywhere, windowsByLayer } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** SmolLM3: Llama in which every few layers know no positions. */
export const smollm3: Architecture = {
  id: "smollm3",
  title: "SmolLM3",
  modelTypes: ["smollm3"],
  classNames: ["SmolLM3ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    max_window_layers: "the published class doesn't read it",
    pretraining_tp: "splits a linear in pieces that add up to the same",
  },
  build(config) {
    const shape = readShape(config, { context: 32_768 });
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6));
    const every = config.size("no_rope_layer_interval", 4);
    const rotated = config.has("no_rope_layers")
      ? config.numbers("no_rope_layers", shape.layers).map((flag) => flag !== 0)
      : Array.from({ length: shape.layers }, (_, index) => (index + 1) % every !== 0);
    const rope = readRope(config, { headDim: shape.dim, defaultTheta: 2_000_000 });
    const sliding = config.bool("use_sliding_window", false) && config.has("sliding_window");
    if (!sliding) config.moot("sliding_window", "layer_types");
    return standardDecoder({
      name: "smollm3",
      shape,
      tied: config.bool("tie_word_embeddings", true),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: (index) => (rotated[index] ? rope : undefined),
          bias: config.bool("attention_bias", false),
          windows: sliding ? windowsByLayer(config, shape.layers, (index) => !rotated[index]) : everywhere,
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
