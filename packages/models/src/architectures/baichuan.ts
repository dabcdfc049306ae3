import { readActivation } from "../activations.ts";
import { alibiSlopes } from "../alibi.ts";
import type { Architecture } from "../architecture.ts";
import { selfAttention } from "../attention.ts";
import { preNorm, rms, standardDecoder } from "../blocks.ts";
import type { Config } from "../config.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { headDim, readShape } from "../shape.ts";

/** The vocabulary of Baichuan 2, whose head is normalised. */
const BAICHUAN2_VOCAB = 125_696;

/**
 * What the published configs leave to their code: positions are rotary in the 7B models (width 4096, or the class of
 * Baichuan 1 7B) and ALiBi in the 13B ones; the head is normalised in Baichuan 2. `position` and `norm_head` override.
 */
function unsaid(config: Config): { alibi: boolean; normHead: boolean } {
  const classes = Array.isArray(config.raw.architectures) ? config.raw.architectures : [];
  const guess = classes.includes("BaichuanForCausalLM") && config.size("hidden_size") !== 4096 ? "alibi" : "rotary";
  return {
    alibi: config.choice("position", ["alibi", "rotary"], guess) === "alibi",
    normHead: config.bool("norm_head", config.size("vocab_size") === BAICHUAN2_VOCAB),
  };
}

/** Baichuan 1 and 2: Llama with one fused projection; see `unsaid` for what tells the sizes apart. */
export const baichuan: Architecture = {
  id: "baichuan",
  title: "Baichuan, Baichuan 2",
  modelTypes: ["baichuan"],
  classNames: ["BaichuanForCausalLM", "BaiChuanForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: {
    ...COMMON_IGNORED,
    gradient_checkpointing: "training only",
    z_loss_weight: "training only",
  },
  build(config, shapes) {
    // GGUF files have the projection in three parts.
    const apart = shapes?.("model.layers.0.self_attn.q_proj.weight") !== undefined;
    const { alibi, normHead } = unsaid(config);
    const shape = { ...readShape(config), context: config.size(["max_position_embeddings", "model_max_length"], 4096) };
    headDim(config, shape.width, shape.heads);
    const norm = rms(shape.width, config.positive("rms_norm_eps", 1e-6));
    return standardDecoder({
      name: "baichuan",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      // Rows of the head are divided by their lengths: a factor per logit, so that the weight stays as it is.
      logits: normHead
        ? (d, x) => {
            const head = { op: "tensor", name: "lm_head.weight", shape: [shape.vocab, shape.width] } as const;
            return d.b.binary("div", x, d.b.weight({ op: "rowNorm", of: head }));
          }
        : undefined,
      block: preNorm({
        norm,
        attention: selfAttention({
          shape,
          fused: apart ? undefined : "W_pack",
          rope: alibi ? undefined : readRope(config, { headDim: shape.dim }),
          alibi: alibi ? { slopes: alibiSlopes(shape.heads), anchor: "relative" } : undefined,
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
