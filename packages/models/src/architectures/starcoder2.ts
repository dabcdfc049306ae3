import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { layer, preNorm, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { commonWindow } from "../layer-types.ts";
import { plainMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** StarCoder2: layer norms, biases, a plain tanh-GELU MLP, attention that may slide. */
export const starcoder2: Architecture = {
  id: "starcoder2",
  title: "StarCoder2",
  modelTypes: ["starcoder2"],
  classNames: ["Starcoder2ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    embedding_dropout: "training only",
    layer_norm_epsilon: "the published class reads norm_epsilon",
    residual_dropout: "training only",
  },
  build(config) {
    const shape = readShape(config, { context: 4096 });
    const norm = layer(shape.width, config.positive("norm_epsilon", 1e-5));
    const bias = config.bool("use_bias", true);
    config.only("mlp_type", "default");
    config.only("norm_type", "layer_norm");
    return standardDecoder({
      name: "starcoder2",
      shape,
      tied: config.bool("tie_word_embeddings", true),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias,
          windows: commonWindow(config),
        }),
        mlp: plainMlp(
          { ...shape, fn: readActivation(config, "hidden_act", "gelu_pytorch_tanh"), bias },
          { up: "c_fc", down: "c_proj" },
        ),
      }),
    });
  },
};
