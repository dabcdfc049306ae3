import type { WeightExpr } from "@llm/tensor";
import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import { COMMON_IGNORED, ROUTER_TRAINING_IGNORED, TIED_HEAD } from "../ignored.ts";
import { experts } from "../moe.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** Granite-MoE: Granite with experts whose gate and up projection are one tensor for all. */
export const granitemoe: Architecture = {
  id: "granitemoe",
  title: "Granite 3 MoE",
  modelTypes: ["granitemoe"],
  classNames: ["GraniteMoeForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: { ...COMMON_IGNORED, ...ROUTER_TRAINING_IGNORED },
  build(config) {
    const shape = readShape(config);
    const { width, inner } = shape;
    const norm = rms(width, config.positive("rms_norm_eps", 1e-6));
    const embedding = config.float("embedding_multiplier", 1);
    const logits = config.float("logits_scaling", 1);
    const count = config.count("num_local_experts");
    return standardDecoder({
      name: "granitemoe",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      embedded: (d, x) => d.b.scale(x, embedding),
      logits: (d, x) => d.b.scale(x, 1 / logits),
      block: preNorm({
        norm,
        names: {
          before: "input_layernorm",
          between: "post_attention_layernorm",
          attention: "self_attn",
          mlp: "block_sparse_moe",
        },
        residual: config.float("residual_multiplier", 1),
        attention: selfAttention({
          shape,
          rope: readRope(config, { headDim: shape.dim }),
          bias: config.bool("attention_bias", false),
          scale: config.float("attention_multiplier", 1),
        }),
        mlp: experts({
          width,
          inner,
          count,
          fn: readActivation(config, "hidden_act", "silu"),
          router: "router.layer",
          route: { score: "softmax", order: "topk-score", k: config.size("num_experts_per_tok") },
          weights: (d, prefix) => {
            const both = d.tensor(`${prefix}.input_linear.weight`, [count, 2 * inner, width]);
            // Published as one, in GGUF files apart.
            const half = (name: string, start: number): WeightExpr => ({
              op: "either",
              of: [
                { op: "slice", of: both, axis: 1, start, end: start + inner },
                d.tensor(`${prefix}.input_linear.${name}.weight`, [count, inner, width]),
              ],
            });
            return {
              gate: half("gate", 0),
              up: half("up", inner),
              down: d.tensor(`${prefix}.output_linear.weight`, [count, width, inner]),
            };
          },
        }),
      }),
    });
  },
};
