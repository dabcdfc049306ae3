import type { SamplingOptions } from "./options.ts";

type Name = keyof SamplingOptions;

/** Numbers at which an option asks for nothing. */
const NEUTRAL: { readonly [N in Name]?: number } = {
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  dryMultiplier: 0,
  noRepeatNgramSize: 0,
  minNewTokens: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  epsilonCutoff: 0,
  etaCutoff: 0,
};

/** The same of options that aren't numbers. */
const ASKS: { readonly [N in Name]?: (value: NonNullable<SamplingOptions[N]>) => boolean } = {
  sequenceBias: (biases) => biases.some(([, bias]) => bias !== 0),
  logitBias: (biases) => Object.values(biases).some((bias) => bias !== 0),
  badWordsIds: (sequences) => sequences.length > 0,
  suppressTokens: (ids) => ids.length > 0,
  exponentialDecayLengthPenalty: ([, factor]) => factor !== 1,
};

/** Options that say which of the likelier tokens to draw from: they mean nothing where nothing is drawn. */
const DRAWN_FROM = [
  "topK",
  "topP",
  "minP",
  "typicalP",
  "epsilonCutoff",
  "etaCutoff",
] as const satisfies readonly Name[];

/** Options that only shape what another one does. */
const SHAPES: ReadonlySet<Name> = new Set(["dryBase", "dryAllowedLength", "drySequenceBreakers"]);

const CHOOSES: ReadonlySet<Name> = new Set(["greedy", "temperature", ...DRAWN_FROM]);

/** Whether an option is given with a value that changes anything. */
export function asksFor<N extends Name>(options: SamplingOptions, name: N): boolean {
  const value = options[name];
  if (value === undefined || value === null) return false;
  return ASKS[name]?.(value) ?? value !== NEUTRAL[name];
}

/** Whether an option asks to draw from some of the tokens only. */
export function narrows(options: SamplingOptions): boolean {
  return DRAWN_FROM.some((name) => asksFor(options, name));
}

/** The options that change the model's scores before a token is chosen by them. */
export function scoreOptions(options: SamplingOptions): readonly Name[] {
  const given = Object.keys(options) as Name[];
  return given.filter((name) => !CHOOSES.has(name) && !SHAPES.has(name) && asksFor(options, name));
}
