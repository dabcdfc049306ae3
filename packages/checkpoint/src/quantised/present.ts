import { CheckpointError } from "../error.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { StoredWeights } from "../stored-weights.ts";
import { awq } from "./awq.ts";
import { gptq } from "./gptq.ts";
import { type Presenter, presentLinears } from "./layout.ts";

const METHODS: Readonly<Record<string, (config: JsonObject) => Presenter>> = { gptq, awq };

/** Shows the weights as the config says they are quantised; plain ones as they are. */
export function presentQuantised(weights: StoredWeights, config: JsonObject, path: string): StoredWeights {
  const quantisation = config.quantization_config;
  if (!isObject(quantisation)) return weights;
  try {
    return presentLinears(weights, presenter(quantisation));
  } catch (error) {
    // Complaints about the config don't know which file it came from.
    if (CheckpointError.isInstance(error) && error.file === undefined)
      throw new CheckpointError(error.code, error.message, { file: path });
    throw error;
  }
}

function presenter(config: JsonObject): Presenter {
  // Before transformers named the method, bitsandbytes was the only one, known by its flags.
  const flagged = config.load_in_8bit === true || config.load_in_4bit === true;
  const method = String(config.quant_method ?? (flagged ? "bitsandbytes" : "unnamed")).toLowerCase();
  const make = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (make) return make(config);
  const name = method.includes("bitsandbytes") ? "bitsandbytes" : JSON.stringify(method.slice(0, 40));
  throw new CheckpointError(
    "quantisation-unsupported",
    `weights quantised with ${name} can't be read (${Object.keys(METHODS).join(" and ")} can); open the checkpoint they were made from instead`,
  );
}
