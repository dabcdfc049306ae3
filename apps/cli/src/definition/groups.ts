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

/** How tokens are chosen, and when it is enough. */
export const SAMPLING = [
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
  "logitBias",
  "seed",
  "stop",
  "ignoreEos",
  "inputLen",
  "truncatePrompt",
  "jsonSchema",
  "regex",
  "choice",
  "grammar",
  "speculate",
  "guidanceScale",
  "negativePrompt",
] as const satisfies Keys;

/** A search through several texts for the best. */
export const SEARCH = ["numBeams", "lengthPenalty"] as const satisfies Keys;

/** Answers beside one another, and what is told of each. */
export const SEVERAL = ["n", "logprobs"] as const satisfies Keys;

/** What is continued, and how. */
export const GENERATION: Keys = [
  "prompt",
  "promptsTxtFilePath",
  "batchSize",
  "suffix",
  ...SAMPLING,
  ...SEARCH,
  ...SEVERAL,
  "draftModel",
  "stream",
  "enableDebugLogs",
];
