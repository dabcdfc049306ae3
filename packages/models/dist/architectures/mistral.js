import { readActivation } from "../activations.js";
import { selfAttention } from "../attention.js";
import { preNorm, rms, standardDecoder } from "../blocks.js";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.js";
import { commonWindow } from "../layer-types.js";
import { gatedMlp } from "../mlp.js";
import { readRope } from "../rope.js";
import { readShape } from "../shape.js";
/** Mistral: Llama whose attention may slide, in all layers alike. */
export const mistral = {
    id: "mistral",
    title: "Mistral",
    modelTypes: ["mistral"],
    classNames: ["MistralForCausalLM"],
    harmless: [TIED_HEAD],
    ignored: COMMON_IGNORED,
    build(config) {
        const shape = readShape(config);
        const norm = rms(shape.width, config.float("rms_norm_eps", 1e-6));
        return standardDecoder({
            name: "mistral",
            shape,
            tied: config.bool("tie_word_embeddings", false),
            last: norm,
            block: preNorm({
                norm,
                attention: selfAttention({
                    shape,
                    rope: readRope(config, { headDim: shape.dim }),
                    windows: commonWindow(config),
                }),
                mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
            }),
        });
    },
};
//# sourceMappingURL=mistral.js.map