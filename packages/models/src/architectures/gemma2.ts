import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { GEMMA_NORMS, rms, sandwich, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, GEMMA_IGNORED, TIED_HEAD } from "../ignored.ts";
import { windowsByLayer } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Gemma 2: Gemma with a norm on either side of each half, soft caps, and every other layer sliding. */
export const gemma2: Architecture = {
  id: "gemma2",
  title: "Gemma 2",
  modelTypes: ["gemma2"],
  classNames: ["Gemma2ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...GEMMA_IGNORED, hidden_act: "the published class reads hidden_activation" },
  build(config) {
    const shape = readShape(config, { context: 8192 });
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6), { plusOne: true });
    const cap = config.positiveOrNone("final_logit_softcapping", 30);
    config.only("use_bidirectional_attention", false);
    return standardDecoder({
      name: "gemma2",
      shape,
      tied: config.bool("tie_word_embeddings", true),
      last: norm,
      embedded: (d, x) => d.b.scale(x, Math.sqrt(shape.width)),
      logits: (d, x) => (cap === undefined ? x : d.b.softcap(x, cap)),
      block: sandwich(
        {
          norm,
          attention: selfAttention({
            shape,
            rope: readRope(config, { headDim: shape.dim }),
            bias: config.bool("attention_bias", false),
            scale: config.float("query_pre_attn_scalar", 256) ** -0.5,
            softcap: config.positiveOrNone("attn_logit_softcapping", 50),
            windows: windowsByLayer(config, shape.layers, (layer) => layer % 2 === 0, 4096),
          }),
          mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_activation", "gelu_pytorch_tanh") }),
        },
        GEMMA_NORMS,
      ),
    });
  },
};
