import type { ActivationName } from "@llm/core-ir";
import type { Config } from "./config.ts";
/** The activation function that a field names; one that is not known is refused. */
export declare function readActivation(config: Config, key: string | readonly string[], or?: string): ActivationName;
//# sourceMappingURL=activations.d.ts.map