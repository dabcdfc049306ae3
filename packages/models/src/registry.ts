import { GraphError } from "@llm/core-ir";
import type { Architecture } from "./architecture.ts";
import { baichuan } from "./architectures/baichuan.ts";
import { bloom } from "./architectures/bloom.ts";
import { chatglm } from "./architectures/chatglm.ts";
import { cohere } from "./architectures/cohere.ts";
import { cohere2 } from "./architectures/cohere2.ts";
import { deepseekV2, deepseekV3 } from "./architectures/deepseek.ts";
import { exaone4 } from "./architectures/exaone4.ts";
import { falcon } from "./architectures/falcon.ts";
import { gemma } from "./architectures/gemma.ts";
import { gemma2 } from "./architectures/gemma2.ts";
import { gemma3 } from "./architectures/gemma3.ts";
import { glm, glm4 } from "./architectures/glm.ts";
import { gptBigcode } from "./architectures/gpt-bigcode.ts";
import { gptNeo } from "./architectures/gpt-neo.ts";
import { gptNeox } from "./architectures/gpt-neox.ts";
import { gpt2 } from "./architectures/gpt2.ts";
import { codegen, gptj } from "./architectures/gptj.ts";
import { granite } from "./architectures/granite.ts";
import { granitemoe } from "./architectures/granitemoe.ts";
import { jais } from "./architectures/jais.ts";
import { llama } from "./architectures/llama.ts";
import { mistral } from "./architectures/mistral.ts";
import { mixtral } from "./architectures/mixtral.ts";
import { mpt } from "./architectures/mpt.ts";
import { nemotron } from "./architectures/nemotron.ts";
import { olmo } from "./architectures/olmo.ts";
import { olmo2 } from "./architectures/olmo2.ts";
import { opt } from "./architectures/opt.ts";
import { phi } from "./architectures/phi.ts";
import { phi3 } from "./architectures/phi3.ts";
import { qwen2 } from "./architectures/qwen2.ts";
import { qwen2Moe } from "./architectures/qwen2-moe.ts";
import { qwen3 } from "./architectures/qwen3.ts";
import { qwen3Moe } from "./architectures/qwen3-moe.ts";
import { santacoder } from "./architectures/santacoder.ts";
import { smollm3 } from "./architectures/smollm3.ts";
import { stablelm } from "./architectures/stablelm.ts";
import { starcoder2 } from "./architectures/starcoder2.ts";
import { ModelError } from "./error.ts";

/** Sizes that don't fit together show when the graph is made: to a user they are a config that is wrong. */
function guarded(architecture: Architecture): Architecture {
  return {
    ...architecture,
    build(config, shapes) {
      try {
        return architecture.build(config, shapes);
      } catch (error) {
        if (!GraphError.isInstance(error)) throw error;
        throw new ModelError("config-invalid", `config.json: sizes don't fit together: ${error.message}`);
      }
    },
  };
}

/** Every architecture; a new one is a file and a line here. */
export const architectures: readonly Architecture[] = [
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

/**
 * The architecture that a config.json is of, by `model_type`; class names tell apart what shares one, and stand in for a
 * `model_type` that is absent. One that is there and unknown is refused: a class of the same name may compute something else.
 */
export function architectureFor(config: Readonly<Record<string, unknown>>): Architecture {
  const { model_type: type, architectures: named } = config;
  const classes = Array.isArray(named) ? named : [];
  const types = [...new Set(architectures.map((one) => one.modelTypes[0]!))].sort();
  const known = `known: ${types.join(", ")}`;
  const refuse = (why: string) => new ModelError("unknown-architecture", `config.json: ${why}; ${known}`);
  const byClass = (of: readonly Architecture[]) =>
    of.find((one) => one.classNames.some((name) => classes.includes(name)));
  if (type === undefined || type === null) {
    const found = byClass(architectures);
    if (found) return found;
    throw refuse(`model_type is missing${classes.length > 0 ? ` (architectures: ${classes.join(", ")})` : ""}`);
  }
  if (typeof type !== "string") throw refuse(`model_type is ${shown(type)}, not a string`);
  const byType = architectures.filter((one) => one.modelTypes.includes(type));
  if (byType.length === 0) throw refuse(`model_type ${shown(type)} is not known`);
  return byClass(byType) ?? byType[0];
}

/** A value from a file, short enough for a line. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
