import { dirname } from "node:path";
import type { Checkpoint } from "../checkpoint.ts";
import { describe } from "../describe.ts";
import { jsonObject } from "../files/side-files.ts";
import type { JsonObject } from "../json.ts";
import type { OpenOptions } from "../open.ts";
import { applyOverrides } from "../overrides.ts";
import { type GgufModel, openGguf } from "./read.ts";
import { generationConfig } from "./text-ends.ts";
import { sideFiles } from "./tokenizer.ts";

/** A GGUF file as a checkpoint whose small files are made from its metadata. */
export async function openGgufCheckpoint(path: string, options: OpenOptions): Promise<Checkpoint> {
  const model = await openGguf(path);
  try {
    return await checkpointOf(path, model, applyOverrides(model.config, options.overrides ?? {}));
  } catch (error) {
    await model.weights.close();
    throw error;
  }
}

async function checkpointOf(
  path: string,
  { metadata, weights, unread }: GgufModel,
  config: JsonObject,
): Promise<Checkpoint> {
  const made = sideFiles(metadata, config);
  const base = {
    kind: "gguf" as const,
    path,
    folder: dirname(path),
    config,
    unread,
    generationConfig: await generationConfig(metadata, config),
    files: [...made.keys()],
    onnx: [],
    readFile: async (name: string) => made.get(name)?.(),
    readJson: async (name: string) => {
      const bytes = await made.get(name)?.();
      return bytes && jsonObject(bytes, `${path} (${name})`);
    },
    close: () => weights.close(),
  };
  return { ...base, weights, describe: () => describe(base, weights) };
}
