import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { layer, parallel, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { plainMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Phi 1, 1.5 and 2: both halves beside each other, biases everywhere, a part of each head rotated. */
export const phi: Architecture = {
  id: "phi",
  title: "Phi 1, 1.5, 2",
  modelTypes: ["phi"],
  classNames: ["PhiForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config);
    const eps = config.positive("layer_norm_eps", 1e-5);
    const norm = layer(shape.width, eps);
    const normed = config.bool("qk_layernorm", false);
    return standardDecoder({
      name: "phi",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: (d, x) => norm(d, x, "final_layernorm"),
      headBias: true,
      block: parallel({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim, partialFactor: 0.5 }),
          bias: true,
          names: { q: "q_proj", k: "k_proj", v: "v_proj", out: "dense" },
          headNorm: normed
            ? (d, x, prefix, which) => d.layerNorm(x, `${prefix}.${which}_layernorm`, shape.dim, eps)
            : undefined,
        }),
        mlp: plainMlp(
          { ...shape, fn: readActivation(config, "hidden_act", "gelu_new"), bias: true },
          { up: "fc1", down: "fc2" },
        ),
      }),
    });
  },
};
