import { GraphError } from "@llm/core-ir";
import { baichuan } from "./architectures/baichuan.js";
import { bloom } from "./architectures/bloom.js";
import { chatglm } from "./architectures/chatglm.js";
import { cohere } from "./architectures/cohere.js";
import { cohere2 } from "./architectures/cohere2.js";
import { deepseekV2, deepseekV3 } from "./architectures/deepseek.js";
import { exaone4 } from "./architectures/exaone4.js";
import { falcon } from "./architectures/falcon.js";
import { gemma } from "./architectures/gemma.js";
import { gemma2 } from "./architectures/gemma2.js";
import { gemma3 } from "./architectures/gemma3.js";
import { glm, glm4 } from "./architectures/glm.js";
import { gptBigcode } from "./architectures/gpt-bigcode.js";
import { gptNeo } from "./architectures/gpt-neo.js";
import { gptNeox } from "./architectures/gpt-neox.js";
import { gpt2 } from "./architectures/gpt2.js";
import { codegen, gptj } from "./architectures/gptj.js";
import { granite } from "./architectures/granite.js";
import { granitemoe } from "./architectures/granitemoe.js";
import { jais } from "./architectures/jais.js";
import { llama } from "./architectures/llama.js";
import { mistral } from "./architectures/mistral.js";
import { mixtral } from "./architectures/mixtral.js";
import { mpt } from "./architectures/mpt.js";
import { nemotron } from "./architectures/nemotron.js";
import { olmo } from "./architectures/olmo.js";
import { olmo2 } from "./architectures/olmo2.js";
import { opt } from "./architectures/opt.js";
import { phi } from "./architectures/phi.js";
import { phi3 } from "./architectures/phi3.js";
import { qwen2 } from "./architectures/qwen2.js";
import { qwen2Moe } from "./architectures/qwen2-moe.js";
import { qwen3 } from "./architectures/qwen3.js";
import { qwen3Moe } from "./architectures/qwen3-moe.js";
import { santacoder } from "./architectures/santacoder.js";
import { smollm3 } from "./architectures/smollm3.js";
import { stablelm } from "./architectures/stablelm.js";
import { starcoder2 } from "./architectures/starcoder2.js";
import { ModelError } from "./error.js";
/** Sizes that don't fit together show when the graph is made: to a user they are a config that is wrong. */
function guarded(architecture) {
    return {
        ...architecture,
        build(config, shapes) {
            try {
                return architecture.build(config, shapes);
            }
            catch (error) {
                if (!GraphError.isInstance(error))
                    throw error;
                throw new ModelError("config-invalid", `config.json: sizes don't fit together: ${error.message}`);
            }
        },
    };
}
/** Every architecture; a new one is a file and a line here. */
export const architectures = [
    baichuan,
    bloom,
    chatglm,
    cohere,
    cohere2,
    deepseekV2,
    deepseekV3,
    exaone4,
    falcon,
    gemma,
    gemma2,
    gemma3,
    glm,
    glm4,
    gpt2,
    gptBigcode,
    gptNeo,
    gptNeox,
    codegen,
    gptj,
    granite,
    granitemoe,
    jais,
    llama,
    mistral,
    mixtral,
    mpt,
    nemotron,
    olmo,
    olmo2,
    opt,
    phi,
    phi3,
    qwen2,
    qwen2Moe,
    qwen3,
    qwen3Moe,
    santacoder,
    smollm3,
    stablelm,
    starcoder2,
].map(guarded);
/** The architecture that a config.json is of: by `model_type`, or by class name where that is missing or unknown. */
export function architectureFor(config) {
    const type = config.model_type;
    const classes = Array.isArray(config.architectures) ? config.architectures : [];
    const byType = architectures.filter((one) => one.modelTypes.includes(type));
    const byClass = (of) => of.find((one) => one.classNames.some((name) => classes.includes(name)));
    const found = byClass(byType) ?? byType[0] ?? byClass(architectures);
    if (found)
        return found;
    const said = typeof type === "string" ? `model_type "${type}" is not known` : "model_type is missing";
    throw new ModelError("unknown-architecture", `config.json: ${said}${classes.length > 0 ? ` (architectures: ${classes.join(", ")})` : ""}; known: ${architectures.map((one) => one.modelTypes[0]).join(", ")}`);
}
//# sourceMappingURL=registry.js.map