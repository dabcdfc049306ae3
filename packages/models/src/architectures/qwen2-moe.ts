import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, ROUTER_TRAINING_IGNORED, TIED_HEAD } from "../ignored.ts";
import { everywhere, slidingLayers } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { experts, gatedSharedExpert, separateExperts, sparseLayers } from "../moe.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Qwen2-MoE: Qwen2 with experts, and one shared expert behind a gate of its own. */
export const qwen2Moe: Architecture = {
  id: "qwen2_moe",
  title: "Qwen1.5-MoE, Qwen2-MoE",
  modelTypes: ["qwen2_moe"],
  classNames: ["Qwen2MoeForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...ROUTER_TRAINING_IGNORED },
  build(config) {
    const shape = readShape(config, { context: 32_768 });
    const { width } = shape;
    const norm = rms(width, config.positive("rms_norm_eps", 1e-6));
    const fn = readActivation(config, "hidden_act", "silu");
    const moe = {
      width,
      inner: config.size("moe_intermediate_size"),
      count: config.count(["num_experts", "num_local_experts"]),
    };
    const sparse = sparseLayers(config);
    const sliding = config.bool("use_sliding_window", false);
    const until = config.int("max_window_layers", 28);
    const slides = slidingLayers(config, shape.layers, (layer) => sliding && layer % 2 === 0 && layer < until);
    const window = slides.includes(true) && sliding ? config.size("sliding_window") : undefined;
    if (window === undefined) config.moot("sliding_window");
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
      shared: gatedSharedExpert(
        gatedMlp({ width, inner: config.size("shared_expert_intermediate_size"), fn }),
        { expert: "shared_expert", gate: "shared_expert_gate" },
        width,
      ),
    });
    return standardDecoder({
      name: "qwen2_moe",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("qkv_bias", true),
          outBias: false,
          windows: window === undefined ? everywhere : (layer) => (slides[layer] ? window : undefined),
        }),
        mlp: (d, x, prefix, layer) => (sparse(layer) ? mixture : dense)(d, x, prefix, layer),
      }),
    });
  },
};
