import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { rmsHeads, selfAttention } from "../attention.ts";
import { GEMMA_NORMS, rms, sandwich, standardDecoder } from "../blocks.ts";
import type { Config } from "../config.ts";
import { COMMON_IGNORED, GEMMA_IGNORED, ignoredUnder, TIED_HEAD } from "../ignored.ts";
import { slidingLayers } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape, type Shape } from "../shape.ts";

/** What the published class assumes: the configs of 4B and larger say only where they differ. */
const DEFAULTS: Shape = {
  layers: 26,
  width: 2304,
  heads: 8,
  groups: 4,
  dim: 256,
  inner: 9216,
  vocab: 262_208,
  context: 131_072,
};

/** Older configs say every how many layers one sees everything. */
const PATTERN = ["sliding_window_pattern", "_sliding_window_pattern"];

const TEXT_IGNORED = {
  ...COMMON_IGNORED,
  ...GEMMA_IGNORED,
  hidden_act: "the published class reads hidden_activation",
};

/** Gemma 3, its text part: Gemma 2 with normed heads and rotary frequencies of their own for sliding layers. */
export const gemma3: Architecture = {
  id: "gemma3",
  title: "Gemma 3 (text)",
  modelTypes: ["gemma3_text", "gemma3"],
  classNames: ["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"],
  harmless: [
    TIED_HEAD,
    {
      match: /^(model\.)?(vision_tower|multi_modal_projector)\./,
      reason: "the part that sees pictures, which text doesn't use",
    },
  ],
  ignored: {
    ...TEXT_IGNORED,
    ...ignoredUnder("text_config", TEXT_IGNORED),
    ...Object.fromEntries(
      ["boi", "eoi", "image"].flatMap((token) =>
        ["index", "id"].map((suffix) => [`${token}_token_${suffix}`, "marks where a picture stands"]),
      ),
    ),
    mm_tokens_per_image: "the part that sees pictures",
    vision_config: "the part that sees pictures",
  },
  build: (config) => text(config.child("text_config") ?? config, config.bool("tie_word_embeddings", true)),
};

function text(config: Config, tied: boolean) {
  const shape = readShape(config, DEFAULTS);
  const eps = config.positive("rms_norm_eps", 1e-6);
  const norm = rms(shape.width, eps, { plusOne: true });
  const cap = config.has("final_logit_softcapping") ? config.float("final_logit_softcapping") : undefined;
  const every = config.size(PATTERN, 6);
  const slides = slidingLayers(config, shape.layers, (layer) => (layer + 1) % every !== 0);
  const window = config.size("sliding_window", 4096);
  const global = readRope(config, { headDim: shape.dim, layerType: "full_attention", defaultTheta: 1_000_000 });
  const local = readRope(config, {
    headDim: shape.dim,
    layerType: "sliding_attention",
    legacyTheta: "rope_local_base_freq",
  });
  config.only("use_bidirectional_attention", false);
  return standardDecoder({
    name: "gemma3",
    shape,
    tied: config.bool("tie_word_embeddings", tied),
    last: norm,
    prefixes: ["model.", "language_model.model.", "model.language_model."],
    embedded: (d, x) => d.b.scale(x, Math.sqrt(shape.width)),
    logits: (d, x) => (cap === undefined ? x : d.b.softcap(x, cap)),
    block: sandwich(
      {
        norm,
        attention: selfAttention({
          shape,
          rope: (layer) => (slides[layer] ? local : global),
          bias: config.bool("attention_bias", false),
          scale: config.float("query_pre_attn_scalar", 256) ** -0.5,
          softcap: config.has("attn_logit_softcapping") ? config.float("attn_logit_softcapping") : undefined,
          windows: (layer) => (slides[layer] ? window : undefined),
          headNorm: rmsHeads(shape.dim, eps, { plusOne: true }),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_activation", "gelu_pytorch_tanh") }),
      },
      GEMMA_NORMS,
    ),
  });
}
