import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Checkpoint } from "./checkpoint.ts";
import { describe } from "./describe.ts";
import { CheckpointError } from "./error.ts";
import { fileError } from "./files/binary-file.ts";
import { jsonObject, listFiles, readJsonFile, readSmallFile } from "./files/side-files.ts";
import { type GgufFiles, ggufModels } from "./gguf/file-names.ts";
import { isObject, type JsonObject } from "./json.ts";
import { MAX_CONFIG_BYTES, MAX_SIDE_FILE_BYTES } from "./limits.ts";
import { applyOverrides, type Overrides } from "./overrides.ts";
import { presentQuantised } from "./quantised/present.ts";
import { noWeights, type StoredWeights } from "./stored-weights.ts";
import { openNamedWeights, openOtherWeights, openStandardWeights, readerFor } from "./weight-layouts.ts";

export interface OpenOptions {
  /** Config fields to set before anybody reads them, by dotted path. */
  readonly overrides?: Overrides;
}

/**
 * Opens a checkpoint: a folder in the Hugging Face layout, one weight file with a config.json beside it, or a GGUF file. Only
 * headers are read; it takes milliseconds whatever the size. A folder with a config.json alone opens too, without weights.
 *
 * @example
 * const checkpoint = await openCheckpoint("models/starcoderbase-1b");
 * checkpoint.config["model_type"]; // "gpt_bigcode"
 * checkpoint.weights.get("transformer.wte.weight"); // where it is: file, offset, length, dtype, shape
 * await checkpoint.close();
 */
export async function openCheckpoint(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  const absolute = resolve(path);
  const info = await stat(absolute).catch((error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new CheckpointError("not-found", "does not exist", { file: absolute });
    throw fileError(absolute, error);
  });
  return info.isDirectory() ? openFolder(absolute, options) : openFile(absolute, options);
}

async function openFolder(folder: string, options: OpenOptions): Promise<Checkpoint> {
  const names = await listFiles(folder, ["onnx", TEMPLATES]);
  const onnx = names.filter((name) => /^onnx\/[^/]+\.onnx$/.test(name));
  const gguf = ggufModels(names);
  if (!names.includes("config.json") && gguf.length > 0) return openGgufFile(oneModel(folder, gguf), options);
  const config = await readConfig(folder, names, options);
  let stored = await openStandardWeights(folder, names);
  if (!stored && onnx.length === 0) {
    // Repositories of GGUF files often keep the original's config.json.
    if (gguf.length > 0) return openGgufFile(oneModel(folder, gguf), options);
    stored = await openOtherWeights(folder, names);
  }
  const kind = stored === undefined && onnx.length > 0 ? "transformersjs" : "huggingface";
  const weights = stored ? await present(stored, config, folder) : noWeights();
  return checkpointOf({ kind, path: folder, folder, names, onnx, config, weights });
}

async function openFile(path: string, options: OpenOptions): Promise<Checkpoint> {
  if (path.endsWith(".gguf")) return openGgufFile(path, options);
  const folder = dirname(path);
  const name = basename(path);
  if (!readerFor(name))
    throw new CheckpointError("not-a-checkpoint", "is neither a folder nor a weight file", { file: path });
  const names = await listFiles(folder, [TEMPLATES]);
  const config = await readConfig(folder, names, options);
  const weights = await present(await openNamedWeights(folder, names, name), config, folder);
  return checkpointOf({ kind: "huggingface", path, folder, names, onnx: [], config, weights });
}

/** The first file of the one model that a folder has. */
function oneModel(folder: string, models: readonly GgufFiles[]): string {
  if (models.length > 1) {
    const named = models.slice(0, 4).map(({ files }) => files[0]);
    throw new CheckpointError("not-a-checkpoint", `holds several models (${named.join(", ")}); name one of them`, {
      file: folder,
    });
  }
  return join(folder, models[0]!.files[0]!);
}

async function openGgufFile(path: string, options: OpenOptions): Promise<Checkpoint> {
  const { openGgufCheckpoint } = await import("./gguf/open.ts");
  return openGgufCheckpoint(path, options);
}

async function readConfig(folder: string, names: readonly string[], options: OpenOptions): Promise<JsonObject> {
  const path = join(folder, "config.json");
  const config = names.includes("config.json") ? await readJsonFile(path, MAX_CONFIG_BYTES) : undefined;
  if (config) return applyOverrides(await withQuantisation(config, folder, names), options.overrides ?? {});
  if (names.some((name) => /\.(safetensors|bin)$/.test(name)))
    throw new CheckpointError("config-missing", "does not exist; a checkpoint needs it beside its weights", {
      file: path,
    });
  throw new CheckpointError("not-a-checkpoint", "is not a checkpoint: it has no config.json", { file: folder });
}

/** The first tools said how they had quantised in a file of its own, and nothing in config.json. */
const QUANTISATION_FILES = { gptq: "quantize_config.json", awq: "quant_config.json" };

async function withQuantisation(config: JsonObject, folder: string, names: readonly string[]): Promise<JsonObject> {
  if (isObject(config.quantization_config)) return config;
  for (const [quant_method, name] of Object.entries(QUANTISATION_FILES)) {
    const own = names.includes(name) ? await readJsonFile(join(folder, name), MAX_CONFIG_BYTES) : undefined;
    if (own) return { ...config, quantization_config: { quant_method, ...own } };
  }
  return config;
}

async function present(weights: StoredWeights, config: JsonObject, folder: string): Promise<StoredWeights> {
  try {
    return presentQuantised(weights, config, join(folder, "config.json"));
  } catch (error) {
    await weights.close();
    throw error;
  }
}

interface Parts {
  readonly kind: Checkpoint["kind"];
  readonly path: string;
  readonly folder: string;
  readonly names: readonly string[];
  readonly onnx: readonly string[];
  readonly config: JsonObject;
  readonly weights: StoredWeights;
}

async function checkpointOf({ names, weights, ...parts }: Parts): Promise<Checkpoint> {
  const files = names.filter((name) => SIDE_FILE.test(name) && !name.endsWith(".index.json"));
  const readFile = async (name: string) =>
    files.includes(name) ? readSmallFile(join(parts.folder, name), MAX_SIDE_FILE_BYTES) : undefined;
  const readJson = async (name: string) => {
    const bytes = await readFile(name);
    return bytes && jsonObject(bytes, join(parts.folder, name));
  };
  const generationConfig = await readJson("generation_config.json").catch(async (error) => {
    await weights.close();
    throw error;
  });
  const base = { ...parts, unread: [], generationConfig, files, readFile, readJson, close: () => weights.close() };
  return { ...base, weights, describe: () => describe(base, weights) };
}

/** Config, tokenizer, chat template: small files that say how to use the model. */
const SIDE_FILE = /^(?:[^/]+\.(?:json|txt|model|jinja|tiktoken)|additional_chat_templates\/[^/]+\.jinja)$/;

/** Where newer checkpoints keep the templates of other names than the default. */
const TEMPLATES = "additional_chat_templates";
