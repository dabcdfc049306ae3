import type { GenerateOptions } from "@llm/generate";
import type { GenerationDefaults } from "./generation-defaults.ts";

/** Options that only make sense when something is drawn. */
const DRAWING = ["temperature", "topK", "topP", "minP", "typicalP"] as const;

/** What transformers draws from where a generation_config that samples doesn't say. */
const TOP_K = 50;

/** A checkpoint's generation_config as a generator's defaults: it samples only when that says so. */
export function generatorDefaults({ sample, eosTokenIds, ...said }: GenerationDefaults): GenerateOptions {
  const ends = eosTokenIds === undefined ? {} : { eosTokenId: eosTokenIds };
  if (sample) return { topK: TOP_K, temperature: 1, ...said, ...ends };
  const kept = Object.entries(said).filter(([name]) => !DRAWING.some((drawing) => drawing === name));
  return { ...Object.fromEntries(kept), ...ends };
}

/** What was asked for; asking for an option of drawing asks for drawing. */
export function askedOptions(asked: GenerateOptions, { sample }: GenerationDefaults): GenerateOptions {
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)) as GenerateOptions;
  const draws = DRAWING.some((name) => given[name] !== undefined);
  return draws && !sample && given.temperature === undefined ? { ...given, temperature: 1 } : given;
}
