import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MODEL_FILES } from "./model-files.ts";

/** What a checkpoint's generation_config says, in our names; fields that mean nothing are left out. */
export interface GenerationDefaults {
  readonly sample?: boolean;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly repetitionPenalty?: number;
  readonly noRepeatNgramSize?: number;
  readonly maxNewTokens?: number;
  readonly eosTokenIds?: readonly number[];
}

const NUMBERS = {
  temperature: "temperature",
  top_k: "topK",
  top_p: "topP",
  min_p: "minP",
  typical_p: "typicalP",
  repetition_penalty: "repetitionPenalty",
  no_repeat_ngram_size: "noRepeatNgramSize",
  max_new_tokens: "maxNewTokens",
} as const;

/** Reads what is there of a generation_config; a field of the wrong type is as good as none. */
export function generationDefaults(config: Readonly<Record<string, unknown>> | undefined): GenerationDefaults {
  if (!config) return {};
  const read = Object.entries(NUMBERS).flatMap(([theirs, ours]) => {
    const value = config[theirs];
    return typeof value === "number" && Number.isFinite(value) ? [[ours, value] as const] : [];
  });
  const eos = [config.eos_token_id].flat().filter((id): id is number => Number.isInteger(id));
  return {
    ...Object.fromEntries(read),
    ...(typeof config.do_sample === "boolean" ? { sample: config.do_sample } : {}),
    ...(eos.length > 0 ? { eosTokenIds: eos } : {}),
  };
}

/** The same of an artefact, which keeps the file beside its tokenizer. */
export async function artefactDefaults(folder: string): Promise<GenerationDefaults> {
  const read = (...path: readonly string[]) => readFile(join(folder, ...path, "generation_config.json"), "utf8");
  // What others made has it beside the rest.
  const text = await read(MODEL_FILES).catch(() => read().catch(() => "{}"));
  try {
    return generationDefaults(JSON.parse(text) as Record<string, unknown>);
  } catch {
    return {}; // not JSON: it says nothing
  }
}
