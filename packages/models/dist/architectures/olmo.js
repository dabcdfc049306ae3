import { readActivation } from "../activations.js";
import { selfAttention } from "../attention.js";
import { preNorm, standardDecoder } from "../blocks.js";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.js";
import { gatedMlp } from "../mlp.js";
import { readRope } from "../rope.js";
import { readShape } from "../shape.js";
/** OLMo: layer norms without weights, projections bounded. */
export const olmo = {
    id: "olmo",
    title: "OLMo",
    modelTypes: ["olmo"],
    classNames: ["OlmoForCausalLM"],
    harmless: [TIED_HEAD],
    ignored: COMMON_IGNORED,
    build(config) {
        const shape = readShape(config);
        const norm = (d, x) => d.b.norm(x, { kind: "layer", eps: 1e-5 });
        return standardDecoder({
            name: "olmo",
            shape,
            tied: config.bool("tie_word_embeddings", false),
            last: norm,
            block: preNorm({
                norm,
                attention: selfAttention({
                    shape,
                    rope: readRope(config, { headDim: shape.dim }),
                    bias: config.bool("attention_bias", false),
                    clip: config.has("clip_qkv") ? config.float("clip_qkv") : undefined,
                }),
                mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
            }),
        });
    },
};
//# sourceMappingURL=olmo.js.map