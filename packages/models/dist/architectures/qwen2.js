import { readActivation } from "../activations.js";
import { selfAttention } from "../attention.js";
import { preNorm, rms, standardDecoder } from "../blocks.js";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.js";
import { qwenWindows } from "../layer-types.js";
import { gatedMlp } from "../mlp.js";
import { readRope } from "../rope.js";
import { readShape } from "../shape.js";
/** Qwen2 and 2.5: Llama with biases on q, k and v; later layers may slide. */
export const qwen2 = {
    id: "qwen2",
    title: "Qwen2, Qwen2.5",
    modelTypes: ["qwen2"],
    classNames: ["Qwen2ForCausalLM"],
    harmless: [TIED_HEAD],
    ignored: COMMON_IGNORED,
    build(config) {
        const shape = readShape(config);
        const norm = rms(shape.width, config.float("rms_norm_eps", 1e-6));
        return standardDecoder({
            name: "qwen2",
            shape,
            tied: config.bool("tie_word_embeddings", false),
            last: norm,
            block: preNorm({
                norm,
                attention: selfAttention({
                    shape,
                    rope: readRope(config, { headDim: shape.dim }),
                    bias: true,
                    outBias: false,
                    windows: qwenWindows(config, shape.layers),
                }),
                mlp: gatedMlp({ ...shape, fn: readActivation(config, "hidden_act", "silu") }),
            }),
        });
    },
};
//# sourceMappingURL=qwen2.js.map