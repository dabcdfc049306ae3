import { GenerateError } from "../error.ts";

/** Names of transformers, in camel case, that something here has another name for. */
export const OTHER_NAMES: Readonly<Record<string, string>> = {
  stopStrings: "stop",
  generationLen: "maxNewTokens",
  numReturnSequences: "n",
  negativePromptIds: "negativePrompt",
};

/** What an option of transformers may say here, where only some of it can be had. */
interface Rule {
  /** Values that ask for nothing; without a list, any: they change no text. */
  readonly neutral?: readonly unknown[];
  /** What to do instead of asking for more. */
  readonly instead?: string;
}

const ANY: Rule = {};
const OFF: Rule = { neutral: [false] };

/**
 * The rest of the names that transformers' `generate` knows, so that a call that moves over is taken as it is: values that ask for
 * nothing are passed over, others are refused by name.
 */
const RULES: Readonly<Record<string, Rule>> = {
  transformersVersion: ANY,
  FromModelConfig: ANY, // `_from_model_config`: where a file came from
  useCache: ANY,
  cacheImplementation: ANY,
  cacheConfig: ANY,
  maxCacheLen: ANY,
  compileConfig: ANY,
  disableCompile: ANY,
  continuousBatchingConfig: ANY,
  prefillChunkSize: ANY,
  lowMemory: ANY,
  syncedGpus: ANY,
  // How much is guessed and when, which `speculate` finds out.
  promptLookupNumTokens: ANY,
  maxMatchingNgramSize: ANY,
  numAssistantTokens: ANY,
  numAssistantTokensSchedule: ANY,
  assistantConfidenceThreshold: ANY,
  assistantEarlyExit: ANY,
  assistantLookbehind: ANY,
  targetLookbehind: ANY,
  assistantEnsembleWeight: ANY,
  isAssistant: ANY,
  speculationType: ANY,
  useMtp: ANY,
  assistantModel: { neutral: [], instead: "open the generator with a draftModel" },
  assistantTokenizer: { neutral: [], instead: "open the generator with a draftModel" },
  tokenHealing: OFF,
  renormalizeLogits: ANY,
  padTokenId: ANY, // nothing is padded
  bosTokenId: ANY, // the tokenizer's business
  decoderStartTokenId: ANY, // of encoder-decoder models
  returnDictInGenerate: ANY, // an answer always says all
  outputScores: { neutral: [false], instead: "ask for logprobs" },
  outputLogits: { neutral: [false], instead: "ask for logprobs" },
  outputAttentions: OFF,
  outputHiddenStates: { neutral: [false], instead: "use embed" },
  removeInvalidValues: OFF,
  returnFullText: { neutral: [false], instead: "put the prompt before the text" },
  encoderRepetitionPenalty: { neutral: [1] },
  encoderNoRepeatNgramSize: { neutral: [0] },
  penaltyAlpha: { neutral: [0] },
  topH: { neutral: [], instead: "give topP or minP" },
  dolaLayers: { neutral: [] },
  watermarkingConfig: { neutral: [] },
  customGenerate: { neutral: [] },
  maxTime: { neutral: [], instead: "give a signal, such as AbortSignal.timeout(ms)" },
  stoppingCriteria: { neutral: [], instead: "give stop, stopTokens or a signal" },
  prefixAllowedTokensFn: { neutral: [], instead: "give allow or one of the forms" },
  logitsProcessor: { neutral: [], instead: "give allow, logitBias or one of the forms" },
  forceWordsIds: { neutral: [], instead: "give a grammar" },
  constraints: { neutral: [], instead: "give a grammar" },
  forcedBosTokenId: { neutral: [], instead: "end the prompt with it" },
  forcedEosTokenId: { neutral: [] },
  forcedDecoderIds: { neutral: [], instead: "end the prompt with them" },
  beginSuppressTokens: { neutral: [] },
};

/** Whether a name is one that transformers has and nothing here is called by; throws where its value asks for something. */
export function isPassedOver(name: string, camel: string, value: unknown): boolean {
  if (camel === "generationKwargs") return passedOverIf(isEmpty(value), name);
  if (!Object.hasOwn(RULES, camel)) return false;
  const { neutral, instead } = RULES[camel]!;
  return passedOverIf(neutral === undefined || neutral.includes(value) || isEmpty(value), name, instead);
}

/** Options that names of transformers turn on here, beside which nothing else is asked for. */
export function impliedBy(camel: string, value: unknown): { readonly speculate?: true } {
  return camel === "promptLookupNumTokens" && typeof value === "number" && value > 0 ? { speculate: true } : {};
}

function passedOverIf(neutral: boolean, name: string, instead = "leave it out"): true {
  if (neutral) return true;
  throw new GenerateError("unsupported", `${name} can't be done here; ${instead}`);
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
