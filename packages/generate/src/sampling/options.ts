import { GenerateError, shown } from "../error.ts";
import { narrows } from "./neutral.ts";

/** How the next token is chosen. All are off unless given; what is given is applied in the order of this list. */
export interface SamplingOptions {
  /** Added to a sequence's last token when the rest of it stands before: [[ids, bias], …]; null is -Infinity, as JSON has it. */
  readonly sequenceBias?: readonly (readonly [readonly number[], number | null])[];
  /** Added to tokens, whatever stands before: id → bias; null is -Infinity. */
  readonly logitBias?: Readonly<Record<number, number | null>>;
  /** Above 1: tokens of the prompt and the answer become less likely. */
  readonly repetitionPenalty?: number;
  /** Taken off each token of the answer so far. */
  readonly presencePenalty?: number;
  /** Taken off each token of the answer, times how often it came. */
  readonly frequencyPenalty?: number;
  /** "Don't repeat yourself": what would go on repeating a run of more than `dryAllowedLength` tokens loses multiplier · base^excess. */
  readonly dryMultiplier?: number;
  readonly dryBase?: number; // 1.75
  readonly dryAllowedLength?: number; // 2
  /** Tokens that no repetition reaches across. */
  readonly drySequenceBreakers?: readonly number[];
  /** No run of this many tokens comes twice. */
  readonly noRepeatNgramSize?: number;
  readonly badWordsIds?: readonly (readonly number[])[];
  /** No end-of-text token before this many. */
  readonly minNewTokens?: number;
  /** [start, factor]: from `start` new tokens on, ending becomes exponentially more likely. */
  readonly exponentialDecayLengthPenalty?: readonly [number, number];
  readonly suppressTokens?: readonly number[];
  /** 0 is greedy, whatever else says that it samples; 1 where something is drawn and nothing said. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly epsilonCutoff?: number;
  readonly etaCutoff?: number;
  /** Always the best token, the same as temperature 0; false: draw. Unless said, the options above decide. */
  readonly greedy?: boolean;
}

type NumberRule = readonly [name: keyof SamplingOptions, fits: (x: number) => boolean, rule: string];

const integer = (x: number): boolean => Number.isInteger(x) && x >= 0;
const share = (x: number): boolean => x >= 0 && x <= 1;

const RULES: readonly NumberRule[] = [
  ["repetitionPenalty", (x) => x > 0, "above 0"],
  ["presencePenalty", Number.isFinite, "a number"],
  ["frequencyPenalty", Number.isFinite, "a number"],
  ["dryMultiplier", (x) => x >= 0, "0 or more"],
  ["dryBase", (x) => x >= 1, "1 or more"],
  ["dryAllowedLength", (x) => integer(x) && x > 0, "a whole number above 0"],
  ["noRepeatNgramSize", integer, "a whole number"],
  ["minNewTokens", integer, "a whole number"],
  ["temperature", (x) => x >= 0, "0 (greedy) or more"],
  ["topK", integer, "a whole number (0: off)"],
  ["topP", share, "between 0 and 1"],
  ["minP", share, "between 0 and 1"],
  ["typicalP", share, "between 0 and 1"],
  ["epsilonCutoff", (x) => x >= 0 && x < 1, "at least 0 and below 1"],
  ["etaCutoff", (x) => x >= 0 && x < 1, "at least 0 and below 1"],
];

/** Throws a GenerateError that names the first option that makes no sense. */
export function checkSampling(options: SamplingOptions, vocab: number): void {
  for (const [name, fits, rule] of RULES) {
    const value = options[name];
    if (value === undefined || (typeof value === "number" && Number.isFinite(value) && fits(value))) continue;
    const must = typeof value === "number" ? rule : `a number, not a ${typeof value}`;
    throw new GenerateError("option-invalid", `${name} is ${shown(value)}, but must be ${must}`, { option: name });
  }
  checkDecay(options.exponentialDecayLengthPenalty);
  checkLists(options);
  checkLogitBias(options.logitBias);
  for (const [id, bias] of Object.entries(options.logitBias ?? {})) checkBias(`logitBias of token ${id}`, bias);
  for (const [sequence, bias] of options.sequenceBias ?? []) checkBias(`sequenceBias of tokens ${sequence}`, bias);
  const named = {
    suppressTokens: options.suppressTokens ?? [],
    drySequenceBreakers: options.drySequenceBreakers ?? [],
    logitBias: Object.keys(options.logitBias ?? {}).map(Number),
    badWordsIds: (options.badWordsIds ?? []).flat(),
    sequenceBias: (options.sequenceBias ?? []).flatMap(([sequence]) => sequence),
  };
  for (const [option, ids] of Object.entries(named))
    for (const id of ids)
      if (!(Number.isInteger(id) && id >= 0 && id < vocab))
        throw new GenerateError("option-invalid", `token ${id} is not in the vocabulary of ${vocab}`, { option });
  for (const sequence of [...(options.badWordsIds ?? []), ...(options.sequenceBias ?? []).map(([ids]) => ids)])
    if (sequence.length === 0) throw new GenerateError("option-invalid", "a banned or biased sequence is empty");
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const isPair = (value: unknown): boolean => isList(value) && value.length === 2 && isList(value[0]);

/** The options that are lists, of what, and how that is written. */
const LISTS: readonly (readonly [name: keyof SamplingOptions, of: (item: unknown) => boolean, written: string])[] = [
  ["suppressTokens", (item) => typeof item === "number", "token ids: [5, 6]"],
  ["drySequenceBreakers", (item) => typeof item === "number", "token ids: [5, 6]"],
  ["badWordsIds", isList, "lists of token ids: [[5, 6], [7]]"],
  ["sequenceBias", isPair, "token ids with a bias: [[[5, 6], -1.5]]"],
];

function checkLists(options: SamplingOptions): void {
  for (const [option, of, written] of LISTS) {
    const value: unknown = options[option];
    if (value !== undefined && !(isList(value) && value.every(of)))
      throw new GenerateError("option-invalid", `${option} is a list of ${written}`, { option });
  }
}

/** A Map or a list has no entries where those of an object are, and would change nothing. */
function checkLogitBias(biases: unknown): void {
  if (biases === undefined) return;
  if (typeof biases !== "object" || biases === null || Array.isArray(biases) || Symbol.iterator in biases)
    throw new GenerateError(
      "option-invalid",
      "logitBias is an object with a bias for each token id: { 292: -100 }, or Object.fromEntries(pairs)",
      { option: "logitBias" },
    );
}

function checkBias(name: string, bias: unknown): void {
  if (bias !== null && !(typeof bias === "number" && bias < Infinity))
    throw new GenerateError("option-invalid", `the ${name} is ${String(bias)}, but must be a number or -Infinity`);
}

function checkDecay(decay: unknown): void {
  if (decay === undefined) return;
  const [start, factor, ...rest] = Array.isArray(decay) ? decay : [];
  if (!(integer(start) && Number.isFinite(factor) && factor > 0 && rest.length === 0))
    throw new GenerateError(
      "option-invalid",
      `exponentialDecayLengthPenalty is ${String(decay)}, but must be [whole number, factor above 0]`,
    );
}

/**
 * Whether the best token is always taken. Temperature 0 and `greedy` decide; else whatever asks for drawing draws: a temperature, or
 * an option that narrows what is drawn from.
 */
export function isGreedy(options: SamplingOptions): boolean {
  const { greedy, temperature } = options;
  if (temperature !== undefined && Math.fround(temperature) === 0) return true;
  return greedy ?? (temperature === undefined && !narrows(options));
}
