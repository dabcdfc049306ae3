import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, ROUTER_TRAINING_IGNORED, TIED_HEAD } from "../ignored.ts";
import { commonWindow } from "../layer-types.ts";
import { experts, separateExperts } from "../moe.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Mixtral: Mistral with a mixture of experts for an MLP. */
export const mixtral: Architecture = {
  id: "mixtral",
  title: "Mixtral",
  modelTypes: ["mixtral"],
  classNames: ["MixtralForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...ROUTER_TRAINING_IGNORED },
  build(config) {
    const shape = readShape(config, { context: 131_072 });
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-5));
    const moe = { width: shape.width, inner: shape.inner, count: config.count(["num_local_experts", "num_experts"]) };
    return standardDecoder({
      name: "mixtral",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: preNorm({
        norm,
        names: {
          before: "input_layernorm",
          between: "post_attention_layernorm",
          attention: "self_attn",
          mlp: "block_sparse_moe",
        },
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim, defaultTheta: 1e6 }),
          windows: commonWindow(config),
        }),
        mlp: experts({
          ...moe,
          fn: readActivation(config, "hidden_act", "silu"),
          router: "gate",
          route: { score: "softmax", order: "score-topk", k: config.size("num_experts_per_tok"), renorm: true },
          weights: separateExperts(moe, { gate: "w1", up: "w3", down: "w2" }),
        }),
      }),
    });
  },
};
