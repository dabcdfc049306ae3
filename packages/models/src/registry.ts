import type { Architecture } from "./architecture.ts";
import { gptBigcode } from "./architectures/gpt-bigcode.ts";
import { gpt2 } from "./architectures/gpt2.ts";
import { llama } from "./architectures/llama.ts";
import { ModelError } from "./error.ts";

/** Every architecture; a new one is a file and a line here. */
export const architectures: readonly Architecture[] = [gpt2, gptBigcode, llama];

/** The architecture that a config.json is of: by `model_type`, or by class name where that is missing or unknown. */
export function architectureFor(config: Readonly<Record<string, unknown>>): Architecture {
  const type = config.model_type;
  const classes = Array.isArray(config.architectures) ? config.architectures : [];
  const found =
    architectures.find((one) => one.modelTypes.includes(type as string)) ??
    architectures.find((one) => one.classNames.some((name) => classes.includes(name)));
  if (found) return found;
  const said = typeof type === "string" ? `model_type "${type}" is not known` : "model_type is missing";
  throw new ModelError(
    "unknown-architecture",
    `config.json: ${said}${classes.length > 0 ? ` (architectures: ${classes.join(", ")})` : ""}; known: ${architectures.map((one) => one.modelTypes[0]).join(", ")}`,
  );
}
