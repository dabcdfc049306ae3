import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { rmsHeads, selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, ROUTER_TRAINING_IGNORED, TIED_HEAD } from "../ignored.ts";
import { commonWindow, everywhere } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { experts, separateExperts, sparseLayers } from "../moe.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Qwen3-MoE: Qwen3 with experts in the layers that the config says. */
export const qwen3Moe: Architecture = {
  id: "qwen3_moe",
  title: "Qwen3-MoE",
  modelTypes: ["qwen3_moe"],
  classNames: ["Qwen3MoeForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...ROUTER_TRAINING_IGNORED, max_window_layers: "the published class doesn't read it" },
  build(config) {
    const shape = readShape(config, { context: 32_768 });
    const eps = config.positive("rms_norm_eps", 1e-6);
    const norm = rms(shape.width, eps);
    const fn = readActivation(config, "hidden_act", "silu");
    const moe = {
      width: shape.width,
      inner: config.size("moe_intermediate_size"),
      count: config.count(["num_experts", "num_local_experts"]),
    };
    const sparse = sparseLayers(config);
    const dense = gatedMlp({ ...shape, fn });
    const mixture = experts({
      ...moe,
      fn,
      router: "gate",
      route: {
        score: "softmax",
        order: "score-topk",
        k: config.size("num_experts_per_tok"),
        renorm: config.bool("norm_topk_prob", false),
      },
      weights: separateExperts(moe),
    });
    return standardDecoder({
      name: "qwen3_moe",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
          windows: config.bool("use_sliding_window", false) ? commonWindow(config) : everywhere,
          headNorm: rmsHeads(shape.dim, eps),
        }),
        mlp: (d, x, prefix, layer) => (sparse(layer) ? mixture : dense)(d, x, prefix, layer),
      }),
    });
  },
};
