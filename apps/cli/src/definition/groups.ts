import type { OptionValues } from "./options.ts";

type Keys = readonly (keyof OptionValues)[];

/** What every command takes. */
export const COMMON: Keys = ["json", "debug"];

/** How a MODEL is found and read. */
export const MODEL_OPTIONS: Keys = [
  "config",
  "cacheDir",
  "hfToken",
  "revision",
  "offline",
  "modelClass",
  "trustRemoteCode",
];

/** How text is generated. */
export const GENERATION: Keys = [
  "prompt",
  "promptsTxtFilePath",
  "batchSize",
  "maxNewTokens",
  "greedy",
  "temperature",
  "topK",
  "topP",
  "minP",
  "typicalP",
  "repetitionPenalty",
  "presencePenalty",
  "frequencyPenalty",
  "noRepeatNgramSize",
  "seed",
  "stop",
  "ignoreEos",
  "stream",
];
