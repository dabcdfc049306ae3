import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkSampling, type GenerateOptions, readOptions } from "@llm/generate";
import { MODEL_FILES } from "./model-files.ts";

type Json = Readonly<Record<string, unknown>>;

const isNumber = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isBoolean = (value: unknown): boolean => typeof value === "boolean";
/** What the sampler checks itself. */
const any = (): boolean => true;

/**
 * The fields of a generation_config that are followed, and which values make sense beyond what options of that name are checked for.
 * How many texts are made or searched is the call's to say, and so is `max_length`, which libraries wrote there by themselves.
 */
const FIELDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  do_sample: isBoolean,
  temperature: any,
  top_k: any,
  top_p: any,
  min_p: any,
  typical_p: any,
  epsilon_cutoff: any,
  eta_cutoff: any,
  repetition_penalty: any,
  no_repeat_ngram_size: any,
  bad_words_ids: Array.isArray,
  sequence_bias: Array.isArray,
  suppress_tokens: Array.isArray,
  exponential_decay_length_penalty: Array.isArray,
  min_new_tokens: any,
  min_length: any,
  max_new_tokens: any,
  stop_strings: (value) => [value].flat().every(isText),
  guidance_scale: (value) => isNumber(value) && (value as number) >= 0,
  length_penalty: isNumber,
  early_stopping: (value) => isBoolean(value) || value === "never",
};

/**
 * What a checkpoint's generation_config says, as a generator's defaults; a field that makes no sense is as good as none. Which tokens
 * end a text is in its config where it is nowhere else, as transformers reads those that were published without the other file.
 */
export function generationDefaults(generation: Json | undefined, config: Json = {}): GenerateOptions {
  const said = [generation, config, config.text_config as Json | undefined];
  const ends = said.map((fields) => tokenIds(fields?.eos_token_id)).find(({ length }) => length > 0);
  const eos: GenerateOptions = ends ? { eosTokenId: ends } : {};
  if (!generation) return eos;
  const sizes = [config.vocab_size, (config.text_config as Json | undefined)?.vocab_size];
  const vocab = sizes.find((size): size is number => typeof size === "number") ?? Number.POSITIVE_INFINITY;
  const known = { ...generation, suppress_tokens: knownIds(generation.suppress_tokens, vocab) };
  const read = Object.entries(FIELDS).map(([name, fits]) => readField(name, (known as Json)[name], { fits, vocab }));
  // It samples only where it says so.
  return Object.assign({ doSample: false }, ...read, eos);
}

/** One id or several; −1, by which some mean none, is none. */
function tokenIds(value: unknown): number[] {
  return [value].flat().filter((id): id is number => Number.isInteger(id) && (id as number) >= 0);
}

/** transformers suppresses the tokens that there are, and passes over other ids. */
function knownIds(ids: unknown, vocab: number): unknown {
  return Array.isArray(ids) ? ids.filter((id) => Number.isInteger(id) && id >= 0 && id < vocab) : ids;
}

interface Fit {
  readonly fits: (value: unknown) => boolean;
  readonly vocab: number;
}

function readField(name: string, value: unknown, { fits, vocab }: Fit): GenerateOptions {
  if (value === null || value === undefined || !fits(value)) return {};
  try {
    const options = readOptions({ [name]: value });
    checkSampling(options, vocab);
    return options;
  } catch {
    return {};
  }
}

/** The same of an artefact, which keeps these files beside its tokenizer. */
export async function artefactDefaults(folder: string): Promise<GenerateOptions> {
  const read = async (name: string): Promise<Json | undefined> => {
    const text = (...path: readonly string[]) => readFile(join(folder, ...path, name), "utf8");
    try {
      // What others made has them beside the rest.
      return (JSON.parse(await text(MODEL_FILES).catch(() => text())) ?? undefined) as Json | undefined;
    } catch {
      return undefined; // not there, or not JSON: it says nothing
    }
  };
  return generationDefaults(await read("generation_config.json"), await read("config.json"));
}
