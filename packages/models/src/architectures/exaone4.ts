import { readActivation } from "../activations.ts";
import type { Architecture } from "../architecture.ts";
import { rmsHeads, selfAttention } from "../attention.ts";
import { postNorm, rms, standardDecoder } from "../blocks.ts";
import type { Config } from "../config.ts";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.ts";
import { slidingLayers } from "../layer-types.ts";
import { gatedMlp } from "../mlp.ts";
import { readRope } from "../rope.ts";
import { readShape } from "../shape.ts";

/** "LLLG" (three local layers, then a global one) or 4, which is the same. */
function localLayer(config: Config): (layer: number) => boolean {
  const pattern = config.raw.sliding_window_pattern;
  if (typeof pattern === "string" && /^[LG]+$/.test(pattern)) return (layer) => pattern[layer % pattern.length] === "L";
  const every = config.int("sliding_window_pattern", 4);
  return (layer) => every > 0 && (layer + 1) % every !== 0;
}

/** EXAONE 4: norms after each half, normed heads; where some layers slide, only those are rotated. */
export const exaone4: Architecture = {
  id: "exaone4",
  title: "EXAONE 4",
  modelTypes: ["exaone4"],
  classNames: ["Exaone4ForCausalLM"],
  harmless: [TIED_HEAD],
  ignored: COMMON_IGNORED,
  build(config) {
    const shape = readShape(config);
    const eps = config.positive("rms_norm_eps", 1e-5);
    const norm = rms(shape.width, eps);
    const window = config.sizeOrNone("sliding_window", 4096);
    const local = localLayer(config);
    const slides = slidingLayers(config, shape.layers, (index) => window !== undefined && local(index));
    const rope = readRope(config, { headDim: shape.dim });
    return standardDecoder({
      name: "exaone4",
      shape,
      tied: config.bool("tie_word_embeddings", false),
      last: norm,
      block: postNorm({
        norm,
        attention: selfAttention({
          shape,
          rope: (index) => (window === undefined || slides[index] ? rope : undefined),
          windows: (index) => (slides[index] ? window : undefined),
          headNorm: rmsHeads(shape.dim, eps),
        }),
        mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
      }),
    });
  },
};
