import { readActivation } from "../activations.js";
import { selfAttention } from "../attention.js";
import { layer, preNorm, standardDecoder } from "../blocks.js";
import { COMMON_IGNORED, TIED_HEAD } from "../ignored.js";
import { commonWindow } from "../layer-types.js";
import { plainMlp } from "../mlp.js";
import { readRope } from "../rope.js";
import { readShape } from "../shape.js";
/** StarCoder2: layer norms, biases, a plain tanh-GELU MLP, attention that may slide. */
export const starcoder2 = {
    id: "starcoder2",
    title: "StarCoder2",
    modelTypes: ["starcoder2"],
    classNames: ["Starcoder2ForCausalLM"],
    harmless: [TIED_HEAD],
    ignored: { ...COMMON_IGNORED, embedding_dropout: "training only", residual_dropout: "training only" },
    build(config) {
        const shape = readShape(config, { context: 4096 });
        const norm = layer(shape.width, config.float("norm_epsilon", 1e-5));
        const bias = config.bool("use_bias", true);
        config.only("mlp_type", "default");
        config.only("norm_type", "layer_norm");
        return standardDecoder({
            name: "starcoder2",
            shape,
            tied: config.bool("tie_word_embeddings", true),
            last: norm,
            block: preNorm({
                norm,
                attention: selfAttention({
                    shape,
                    rope: readRope(config, { headDim: shape.dim }),
                    bias,
                    windows: commonWindow(config),
                }),
                mlp: plainMlp({ ...shape, fn: readActivation(config, "hidden_act", "gelu_pytorch_tanh"), bias }, { up: "c_fc", down: "c_proj" }),
            }),
        });
    },
};
//# sourceMappingURL=starcoder2.js.map