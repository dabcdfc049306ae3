import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { type OnHeads, selfAttention } from "../attention.ts";
import { layer, parallel, preNorm, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** StableLM: layer norms, a part of each head rotated; the larger ones norm each head by a weight of its own. */
export const stablelm: Architecture = {
  id: "stablelm",
  title: "StableLM, StableLM 2",
  modelTypes: ["stablelm", "stablelm_epoch"],
  classNames: ["StableLmForCausalLM", "StableLMEpochForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, hidden_dropout: "training only" },
  build(config) {
    const shape = readShape(config, { context: 4096 });
    const eps = config.positive(["layer_norm_eps", "norm_eps"], 1e-5);
    const norm = layer(shape.width, eps);
    const perHead: OnHeads = (d, x, prefix, which) => {
      const heads = which === "q" ? shape.heads : shape.groups;
      const of = Array.from({ length: heads }, (_, head) =>
        d.tensor(`${prefix}.${which}_layernorm.norms.${head}.weight`, [shape.dim]),
      );
      return d.b.norm(x, { kind: "layer", eps }, d.b.weight({ op: "stack", of }));
    };
    const halves = {
      norm,
      attention: selfAttention({
        shape,
        rope: readRope(config, { headDim: shape.dim, partialFactor: 0.25 }),
        bias: config.bool("use_qkv_bias", false),
        outBias: false,
        headNorm: config.bool("qk_layernorm", false) ? perHead : undefined,
      }),
      mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
    };
    return standardDecoder({
      name: "stablelm",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: config.bool("use_parallel_residual", false) ? parallel(halves) : preNorm(halves),
    });
  },
};
