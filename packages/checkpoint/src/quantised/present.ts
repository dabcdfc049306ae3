import { DTYPES, type DType } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { StoredWeights } from "../stored-weights.ts";
import { autoRound } from "./auto-round.ts";
import { awq } from "./awq.ts";
import { presentFp8 } from "./fp8.ts";
import { gptq } from "./gptq.ts";
import { type Presenter, presentLinears } from "./layout.ts";

type Present = (weights: StoredWeights, config: JsonObject) => StoredWeights;

const linears =
  (presenter: (config: JsonObject) => Presenter): Present =>
  (weights, config) =>
    presentLinears(weights, presenter(config));

const METHODS: Readonly<Record<string, Present>> = {
  gptq: linears(gptq),
  awq: linears(awq),
  "auto-round": linears(autoRound),
  "intel/auto-round": linears(autoRound),
  fp8: presentFp8,
};

/** Shows the weights as the config says they are quantised; plain ones as they are. */
export function presentQuantised(weights: StoredWeights, config: JsonObject, path: string): StoredWeights {
  const quantisation = config.quantization_config;
  try {
    if (!isObject(quantisation)) return requirePlain(weights);
    const present = presenterFor(methodOf(quantisation));
    return present ? present(weights, quantisation) : requirePlain(weights, quantisation);
  } catch (error) {
    // Complaints about the config don't know which file it came from.
    if (CheckpointError.isInstance(error) && error.file === undefined)
      throw new CheckpointError(error.code, error.message, { file: path });
    throw error;
  }
}

/** Undefined where the weights may be plain all the same: bitsandbytes leaves its flags in configs of what was merged. */
function presenterFor(method: string | undefined): Present | undefined {
  if (method === undefined || method.includes("bitsandbytes")) return undefined;
  if (Object.hasOwn(METHODS, method)) return METHODS[method]!;
  throw unsupported(method);
}

function methodOf({ quant_method: method }: JsonObject): string | undefined {
  return method === undefined || method === null ? undefined : String(method).toLowerCase();
}

/** Weights that nobody said to be quantised in a way that can be read. */
function requirePlain(weights: StoredWeights, config?: JsonObject): StoredWeights {
  const names = [...weights.names()];
  const packed = names.find((name) => name.endsWith(".qweight"));
  if (config === undefined && packed !== undefined)
    throw new CheckpointError(
      "quantisation-unsupported",
      `its weights are quantised (${packed}), and neither it nor a quantize_config.json says how`,
    );
  const plain = (name: string) => {
    const { format } = weights.get(name)!;
    return !(format in DTYPES) || DTYPES[format as DType].float;
  };
  const coded = packed ?? names.find((name) => name.endsWith(".weight") && !plain(name));
  if (config !== undefined && coded !== undefined) throw unsupported(methodOf(config) ?? flagged(config));
  return weights;
}

/** Before transformers named the method, bitsandbytes was the only one, known by its flags. */
function flagged(config: JsonObject): string | undefined {
  return config.load_in_8bit === true || config.load_in_4bit === true ? "bitsandbytes" : undefined;
}

function unsupported(method: string | undefined): CheckpointError {
  const name = method?.includes("bitsandbytes") ? "bitsandbytes" : JSON.stringify(method?.slice(0, 40));
  return new CheckpointError(
    "quantisation-unsupported",
    `weights quantised ${method === undefined ? "in a way that its config doesn't name" : `with ${name}`} can't be read ` +
      "(gptq, awq, auto-round and fp8 can); open a checkpoint of the model that is in one of these ways, or not quantised",
  );
}
