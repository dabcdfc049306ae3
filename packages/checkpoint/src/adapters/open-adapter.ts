import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { read, type Tensor, weights } from "@llm/tensor";
import { CheckpointError } from "../error.ts";
import { listFiles } from "../files/side-files.ts";
import { openTensorFile } from "../open-tensors.ts";
import type { StoredWeights } from "../stored-weights.ts";

/** What an adapter adds to one matrix: `scale` · b · a, as PEFT stores them. */
export interface LowRank {
  /** The module's name, as the adapter has it: `model.layers.0.self_attn.q_proj`. */
  readonly module: string;
  readonly a: Tensor; // (rank, in)
  readonly b: Tensor; // (out, rank)
  readonly scale: number;
}

/** A LoRA adapter in PEFT's layout, read whole: they are small. */
export interface Adapter {
  readonly path: string;
  readonly fingerprint: string;
  /** True where the matrices it adds to are stored as (in, out), as GPT-2's are. */
  readonly transposed: boolean;
  readonly modules: readonly LowRank[];
}

const CONFIG = "adapter_config.json";
/** PEFT saved pickles until its version 0.7; where both are there, the newer form counts. */
const WEIGHTS: readonly string[] = ["adapter_model.safetensors", "adapter_model.bin"];
const PREFIX = "base_model.model.";
/** More than any adapter is wide; what claims more isn't one. */
const MAX_RANK = 4096;
/** Floats of an adapter that are held in memory: 2 GB. */
const MAX_FLOATS = 2 ** 29;

interface AdapterConfig {
  readonly peft_type?: unknown;
  readonly lora_alpha?: unknown;
  readonly alpha_pattern?: unknown;
  readonly use_rslora?: unknown;
  readonly fan_in_fan_out?: unknown;
  readonly [key: string]: unknown;
}

/** What changes the sum in ways that aren't done here, by name. */
const REFUSED: readonly string[] = [
  "use_dora",
  "use_qalora",
  "use_bdlora",
  "lora_bias",
  "alora_invocation_tokens",
  "layer_replication",
  "target_parameters",
  "kasa_config",
  "arrow_config",
];

/** Ways to begin training that leave the model's weights alone. Others (PiSSA, OLoRA, CorDA, LoftQ) take their sum off them first. */
const PLAIN_BEGINNINGS: readonly unknown[] = [true, false, null, undefined, "gaussian", "eva", "orthogonal", "mica"];

/**
 * Opens a folder with PEFT's adapter_config.json and adapter_model.safetensors (or, as before its version 0.7, adapter_model.bin).
 *
 * @example
 * const adapter = await openAdapter("adapters/style");
 * adapter.modules.map(({ module }) => module);
 */
export async function openAdapter(path: string): Promise<Adapter> {
  const folder = resolve(path);
  const config = await readConfig(join(folder, CONFIG));
  const tensors = await openTensorFile(join(folder, await weightsIn(folder)));
  try {
    return {
      path: folder,
      fingerprint: `${tensors.fingerprint} ${JSON.stringify(config)}`,
      transposed: config.fan_in_fan_out === true,
      modules: await readModules(tensors, config, folder),
    };
  } finally {
    await tensors.close();
  }
}

async function weightsIn(folder: string): Promise<string> {
  const names = await listFiles(folder);
  const found = WEIGHTS.find((name) => names.includes(name));
  if (found === undefined)
    throw new CheckpointError("file-missing", `holds neither ${WEIGHTS.join(" nor ")}`, { file: folder });
  return found;
}

async function readConfig(file: string): Promise<AdapterConfig> {
  let config: AdapterConfig;
  try {
    config = JSON.parse(await readFile(file, "utf8")) as AdapterConfig;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new CheckpointError(
      isMissing ? "config-missing" : "config-invalid",
      isMissing ? "is missing: a LoRA adapter is a folder as PEFT saves it" : "is no JSON",
      { file, cause },
    );
  }
  if (config?.peft_type !== "LORA")
    throw new CheckpointError("config-invalid", `peft_type is ${String(config?.peft_type)}; only LORA is read`, {
      file,
    });
  for (const key of REFUSED)
    if (isSet(config[key]))
      throw new CheckpointError("config-invalid", `${key} is set, which is not supported`, { file });
  if (!PLAIN_BEGINNINGS.includes(config.init_lora_weights))
    throw new CheckpointError(
      "config-invalid",
      `init_lora_weights is ${String(config.init_lora_weights)}, so this adapter belongs to weights that its training changed; ` +
        "PEFT saves most of these as plain ones, by save_pretrained's path_initial_model_for_weight_conversion",
      { file },
    );
  if (typeof config.lora_alpha !== "number")
    throw new CheckpointError("config-invalid", "lora_alpha must be a number", { file });
  return config;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
}

async function readModules(tensors: StoredWeights, config: AdapterConfig, file: string): Promise<LowRank[]> {
  const modules: LowRank[] = [];
  let floats = 0;
  for (const name of tensors.names()) {
    const [, module, side] = /^(.*)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (!module || !name.startsWith(PREFIX))
      throw new CheckpointError("tensor-unsupported", "is no part of a low-rank sum, and nothing else is read", {
        file,
        tensor: name,
      });
    if (side === "B") continue; // comes with its A
    const [a, b] = [tensors.get(name)!, tensors.get(`${module}.lora_B.weight`)];
    const rank = a.shape[0]!;
    if (!b || a.shape.length !== 2 || b.shape.length !== 2 || b.shape[1] !== rank || rank < 1 || rank > MAX_RANK)
      throw new CheckpointError("tensor-invalid", "has no lora_B that fits it", { file, tensor: name });
    floats += rank * (a.shape[1]! + b.shape[0]!);
    if (floats > MAX_FLOATS)
      throw new CheckpointError("limit-exceeded", "is larger than any adapter", { file, tensor: name });
    const whole = (tensor: typeof a) => read(weights.tensor(tensor.name, tensor.shape), tensors, "f32");
    const plain = module.slice(PREFIX.length);
    const alpha = alphaOf(plain, config, file);
    const scale = alpha / (config.use_rslora === true ? Math.sqrt(rank) : rank);
    modules.push({ module: plain, a: await whole(a), b: await whole(b), scale });
  }
  return modules;
}

/** A module's own alpha, if the config has one whose key its name ends with; keys that are expressions are refused. */
function alphaOf(module: string, { lora_alpha, alpha_pattern }: AdapterConfig, file: string): number {
  for (const [key, alpha] of Object.entries((alpha_pattern ?? {}) as Record<string, unknown>)) {
    if (!/^[\w.-]+$/.test(key) || typeof alpha !== "number")
      throw new CheckpointError("config-invalid", `alpha_pattern ${key} is more than a name, which is not supported`, {
        file,
      });
    if (module === key || module.endsWith(`.${key}`)) return alpha;
  }
  return lora_alpha as number;
}
