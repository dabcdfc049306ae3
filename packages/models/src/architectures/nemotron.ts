import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { layer, preNorm, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Nemotron: layer norms stored less 1, half of each head rotated, a plain MLP with squared ReLU. */
export const nemotron: Architecture = {
  id: "nemotron",
  title: "Nemotron, Minitron",
  modelTypes: ["nemotron"],
  classNames: ["NemotronForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config, { context: 4096 });
    const norm = layer(shape.width, config.positive("norm_eps", 1e-5), { plusOne: true });
    return standardDecoder({
      name: "nemotron",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim, partialFactor: 0.5 }),
          bias: config.bool("attention_bias", false),
        }),
        mlp: plainMlp(
          { ...shape, fn: readActivation(config, "hidden_act", "relu2"), bias: config.bool("mlp_bias", false) },
          { up: "up_proj", down: "down_proj" },
        ),
      }),
    });
  },
};
