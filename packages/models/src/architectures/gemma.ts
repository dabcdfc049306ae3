import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, GEMMA_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Gemma: Llama with norms stored less 1, the embedding scaled by √width, and a gated tanh-GELU. */
export const gemma: Architecture = {
  id: "gemma",
  title: "Gemma",
  modelTypes: ["gemma"],
  classNames: ["GemmaForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...GEMMA_IGNORED },
  build(config) {
    const shape = readShape(config, { context: 8192 });
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6), { plusOne: true });
    // The first published configs say "gelu" and mean its tanh form.
    const said = readActivation(config, ["hidden_activation", "hidden_act"], "gelu_pytorch_tanh");
    config.only("use_bidirectional_attention", false);
    return standardDecoder({
      name: "gemma",
      shape,
      tied: config.bool("tie_word_embeddings", true),
      last: norm,
      embedded: (d, x) => d.b.scale(x, Math.sqrt(shape.width)),
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
        }),
        mlp: gatedMlp({ ...shape, fn: said === "gelu" ? "gelu_tanh" : said }),
      }),
    });
  },
};
