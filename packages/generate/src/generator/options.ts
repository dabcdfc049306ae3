import type { GrammarSource } from "@llm/grammar";
import type { AnswerFormats } from "../answer/formats.ts";
import { GenerateError } from "../error.ts";
import { type RandomState, randomState } from "../random/random-state.ts";
import type { SamplingOptions } from "../sampling/options.ts";
import type { GeneratedToken } from "../scheduler/request.ts";
import type { TransformersStreamer } from "../text/transformers.ts";
import type { Switched } from "./defaults.ts";
import { checkKind } from "./option-kinds.ts";
import type { Prompt } from "./prompt.ts";
import { impliedBy, isPassedOver, OTHER_NAMES } from "./transformers-options.ts";

/** How to generate: the sampling options, when to end, and what to tell on the way. */
export interface GenerateOptions extends SamplingOptions {
  readonly maxNewTokens?: number; // 256, or what room there is
  /** Prompt and answer together. */
  readonly maxLength?: number;
  /** Prompt and answer together: no end-of-text token before. `minNewTokens` goes before it. */
  readonly minLength?: number;
  readonly stop?: string | readonly string[];
  /** Token ids that end the text, beside the model's own. */
  readonly stopTokens?: readonly number[];
  /** Instead of the tokenizer's. */
  readonly eosTokenId?: number | readonly number[];
  readonly ignoreEos?: boolean;
  /** A fresh random state of this seed; `random` goes on with one. */
  readonly seed?: number;
  readonly random?: RandomState;
  /** Log-probabilities of every token, and of this many of the best beside it. */
  readonly logprobs?: number;
  /** Log-probabilities of the prompt's tokens, and of this many of the best beside each. */
  readonly promptLogprobs?: number;
  /** How many texts; `Generator.several` gives them. */
  readonly n?: number;
  /** Draws so many texts and gives the `n` likeliest by their mean log-probability. */
  readonly bestOf?: number;
  /** Above 1: a beam search, which follows so many texts at once. */
  readonly numBeams?: number;
  /** Beams in so many groups, which shun one another's tokens by `diversityPenalty`. */
  readonly numBeamGroups?: number;
  readonly diversityPenalty?: number;
  /** Above 0 favours long texts of a beam search, below 0 short ones. 1 unless said. */
  readonly lengthPenalty?: number;
  /** A beam search ends with as many finished texts as beams; else when better ones are unlikely, or ("never") impossible. */
  readonly earlyStopping?: boolean | "never";
  /** Above 1: steers away from what is said after `negativePrompt`, the prompt's last token unless said; below 1: towards it. */
  readonly guidanceScale?: number;
  readonly negativePrompt?: Prompt;
  /** What comes after the answer: the model fills in between the prompt and this text, where it was trained to. */
  readonly suffix?: string;
  /** The most tokens of a prompt: longer ones lose their beginning, or what `truncatePrompt` says. */
  readonly inputLen?: number;
  /** What to leave out of a prompt that is too long, instead of refusing it. */
  readonly truncatePrompt?: "left" | "middle";
  readonly addSpecialTokens?: boolean; // around the prompt; true
  readonly skipSpecialTokens?: boolean; // in the text; true
  /**
   * The answer goes on in the middle of a text, as code does: it keeps the blank that it begins with, which some tokenizers leave
   * out at a text's beginning. False unless said, but for answers of a form.
   */
  readonly inText?: boolean;
  readonly priority?: number;
  /** One of the adapters that the generator has, by its name; or a session's, by its number. None unless said. */
  readonly adapter?: string | number;
  readonly signal?: AbortSignal;
  /** The switch of transformers: false is `greedy`; true draws, from the 50 best unless `topK` says otherwise. */
  readonly doSample?: boolean;
  /** Told of every token, with the text that it finished: nothing while a character or a stop string may be unfinished. */
  readonly onToken?: (token: GeneratedToken, piece: string) => void;
  /** A streamer of @huggingface/transformers. */
  readonly streamer?: TransformersStreamer;
  /** The answer is a JSON value that is valid by this schema (an object, or its text). */
  readonly jsonSchema?: unknown;
  /** The answer is a JSON object. */
  readonly json?: boolean;
  /** The whole answer matches this ECMAScript expression. */
  readonly regex?: string | RegExp;
  /** The answer is one of these texts. */
  readonly choice?: readonly string[];
  /** The answer matches `root` of this grammar, in llama.cpp's notation. */
  readonly grammar?: string;
  /** The answer has this form; for what the options above can't say. */
  readonly form?: GrammarSource;
  /**
   * How an answer of this model marks its thoughts and calls, for whoever takes it apart with an `AnswerParser`: marks that are
   * control tokens stay in the text, and a form holds what comes after the thoughts. `Generator.chat` knows it by itself.
   */
  readonly answerFormats?: AnswerFormats;
  /** Guess tokens from what was said before, and from a draft model where there is one: the same text, often in fewer steps. False unless said; with a draft model, true. */
  readonly speculate?: boolean;
  /** What the answer may look like, to guess from: a text that is to be changed a little. Turns `speculate` on. */
  readonly prediction?: Prompt;
  /** Tokens allowed next, as a bit mask over the vocabulary. */
  readonly allow?: (generated: Int32Array) => Uint32Array | undefined;
}

/** The same options under the names that transformers gives them. */
export type TransformersOptions = Readonly<Record<string, unknown>>;

/** What the generator itself acts on, or reads before it tells the sampler. */
const OWN = [
  "maxNewTokens",
  "maxLength",
  "minLength",
  "minNewTokens",
  "stop",
  "stopTokens",
  "eosTokenId",
  "ignoreEos",
  "seed",
  "random",
  "logprobs",
  "suffix",
  "inputLen",
  "truncatePrompt",
  "addSpecialTokens",
  "skipSpecialTokens",
  "inText",
  "priority",
  "adapter",
  "signal",
  "doSample",
  "onToken",
  "streamer",
  "promptLogprobs",
  "n",
  "bestOf",
  "numBeams",
  "numBeamGroups",
  "diversityPenalty",
  "lengthPenalty",
  "earlyStopping",
  "guidanceScale",
  "negativePrompt",
  "allow",
  "speculate",
  "prediction",
  "jsonSchema",
  "json",
  "regex",
  "choice",
  "grammar",
  "form",
  "answerFormats",
] as const satisfies readonly (keyof GenerateOptions)[];

/** What goes to the sampler as it is. */
const SAMPLED = [
  "sequenceBias",
  "logitBias",
  "repetitionPenalty",
  "presencePenalty",
  "frequencyPenalty",
  "dryMultiplier",
  "dryBase",
  "dryAllowedLength",
  "drySequenceBreakers",
  "noRepeatNgramSize",
  "badWordsIds",
  "exponentialDecayLengthPenalty",
  "suppressTokens",
  "greedy",
  "temperature",
  "topK",
  "topP",
  "minP",
  "typicalP",
  "epsilonCutoff",
  "etaCutoff",
] as const satisfies readonly (keyof GenerateOptions)[];

const SAMPLING: ReadonlySet<string> = new Set(SAMPLED);
const KNOWN: ReadonlySet<string> = new Set([...OWN, ...SAMPLED]);

/**
 * Options under either spelling as those of this package; null and undefined mean "not given", an unknown name is an error. What a
 * `generation_config` of transformers says counts where nothing beside it does.
 */
export function readOptions(given: GenerateOptions | TransformersOptions): GenerateOptions {
  const { generation_config, generationConfig = generation_config, ...named } = given as TransformersOptions;
  const options: Record<string, unknown> = generationConfig ? { ...readOptions(generationConfig) } : {};
  let implied: GenerateOptions = {};
  for (const [name, value] of Object.entries(named)) {
    if (value === undefined || value === null) continue;
    const camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    implied = { ...implied, ...impliedBy(camel, value) };
    if (isPassedOver(name, camel, value)) continue;
    const known = OTHER_NAMES[camel] ?? camel;
    if (!KNOWN.has(known)) throw new GenerateError("option-invalid", `there is no option ${name}`);
    checkKind(name, known, value);
    options[known] = value;
  }
  return { ...implied, ...options };
}

/** Options with one switch for drawing, whose adapter is a session's. */
export type Settled = Omit<Switched, "adapter"> & { readonly adapter?: number };

/** Numbers of adapters in a session, by name. */
export type AdapterNumbers = Readonly<Record<string, number>>;

/** Options with the number of the adapter that they name. */
export function settled({ adapter, ...options }: Switched, adapters: AdapterNumbers): Settled {
  if (adapter === undefined) return options;
  if (typeof adapter === "number") return { ...options, adapter };
  if (Object.hasOwn(adapters, adapter)) return { ...options, adapter: adapters[adapter]! };
  const known = Object.keys(adapters).join(", ") || "none";
  throw new GenerateError("option-invalid", `there is no adapter ${adapter}; there is: ${known}`);
}

/** The sampling options alone, with what `minLength` means after a prompt of so many tokens spelled out. */
export function samplingOf(options: Switched, promptLength: number): SamplingOptions {
  const { minLength = 0, minNewTokens = Math.max(0, minLength - promptLength) } = options;
  const ours = Object.fromEntries(Object.entries(options).filter(([name]) => SAMPLING.has(name))) as SamplingOptions;
  return minNewTokens === 0 ? ours : { ...ours, minNewTokens };
}

/** The random state that options start from. */
export function randomOf({ random, seed }: GenerateOptions): RandomState {
  return random ?? randomState(seed ?? 0);
}

export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

/** Those of the options that are given. */
export function given<K extends keyof Settled>(options: Settled, names: readonly K[]): Pick<Settled, K> {
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as Pick<Settled, K>;
}
