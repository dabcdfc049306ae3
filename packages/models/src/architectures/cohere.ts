import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { type OnHeads, selfAttention } from "../attention.ts";
import { layer, parallel, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Cohere (Command R): both halves beside each other, neighbouring pairs rotated, logits scaled. */
export const cohere: Architecture = {
  id: "cohere",
  title: "Command R, Aya",
  modelTypes: ["cohere"],
  classNames: ["CohereForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    // Command R publishes the length its tables were first cut for, and beside it what it was trained for.
    const context = config.size(["model_max_length", "max_position_embeddings"], 8192);
    const shape = { ...readShape(config, { context }), context };
    const eps = config.positive("layer_norm_eps", 1e-5);
    const norm = layer(shape.width, eps, { bias: false });
    const scale = config.float("logit_scale", 0.0625);
    const byHead: OnHeads = (d, x, prefix, which) => {
      const weight = d.tensor(`${prefix}.${which}_norm.weight`, [
        which === "q" ? shape.heads : shape.groups,
        shape.dim,
      ]);
      return d.b.norm(x, { kind: "layer", eps }, d.b.weight(weight));
    };
    return standardDecoder({
      name: "cohere",
      shape,
      tied: config.bool("tie_word_embeddings", true),
      last: norm,
      logits: (d, x) => d.b.scale(x, scale),
      block: parallel({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim, defaultTheta: 500_000 }),
          pairs: "interleaved",
          bias: config.bool("attention_bias", false),
          headNorm: config.bool("use_qk_norm", false) ? byHead : undefined,
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
