import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { commonWindow } from "../layer-types.ts";
import { fusedGatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Phi-3 and 4: Llama with fused projections; longer contexts by longrope. */
export const phi3: Architecture = {
  id: "phi3",
  title: "Phi-3, Phi-3.5, Phi-4",
  modelTypes: ["phi3"],
  classNames: ["Phi3ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    embd_layer: "names the published embedding",
    attention_bias: "the published class has no biases",
    full_attn_mod: "the published class doesn't read it",
    interpolate_factor: "the published class doesn't read it",
  },
  build(config) {
    const shape = readShape(config, { context: 4096 });
    for (const bias of ["mlp_bias", "lm_head_bias"]) config.only(bias, false);
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-5));
    return standardDecoder({
      name: "phi3",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim, partialFactor: 1, defaultOriginal: 4096 }),
          fused: "qkv_proj",
          windows: commonWindow(config),
        }),
        mlp: fusedGatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
