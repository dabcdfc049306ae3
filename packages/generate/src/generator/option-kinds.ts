import { GenerateError, shown } from "../error.ts";
import type { GenerateOptions } from "./options.ts";

/** What an option may be, and how an error says it. */
interface Kind {
  readonly is: (value: unknown) => boolean;
  readonly must: string;
}

const isText = (value: unknown): boolean => typeof value === "string";
const isWhole = (value: unknown): boolean => Number.isInteger(value);
const listOf =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(is);

const COUNT: Kind = { is: (value) => isWhole(value) && (value as number) >= 0, must: "a whole number" };
const SOME: Kind = { is: (value) => isWhole(value) && (value as number) > 0, must: "a whole number above 0" };
const SWITCH: Kind = { is: (value) => typeof value === "boolean", must: "true or false" };
const NUMBER: Kind = { is: Number.isFinite, must: "a number" };
const CALLED: Kind = { is: (value) => typeof value === "function", must: "a function" };
const has =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === "object" && value !== null && names.every((name) => name in value);
const IDS: Kind = { is: listOf(isWhole), must: "a list of token ids" };

/** What nobody looks at again before it is used, where the wrong kind would change the text or fail far from here. */
const KINDS: { readonly [N in keyof GenerateOptions]?: Kind } = {
  maxNewTokens: COUNT,
  maxLength: COUNT,
  minLength: COUNT,
  logprobs: COUNT,
  promptLogprobs: COUNT,
  n: COUNT,
  bestOf: COUNT,
  numBeams: SOME,
  numBeamGroups: SOME,
  inputLen: SOME,
  doSample: SWITCH,
  greedy: SWITCH,
  ignoreEos: SWITCH,
  addSpecialTokens: SWITCH,
  skipSpecialTokens: SWITCH,
  inText: SWITCH,
  json: SWITCH,
  speculate: SWITCH,
  diversityPenalty: NUMBER,
  lengthPenalty: NUMBER,
  earlyStopping: { is: (value) => typeof value === "boolean" || value === "never", must: 'true, false or "never"' },
  random: { is: has("key", "drawn"), must: "a random state, such as randomState(7)" },
  signal: { is: has("throwIfAborted"), must: "an AbortSignal" },
  streamer: { is: has("put", "end"), must: "a streamer, with put and end" },
  onToken: CALLED,
  allow: CALLED,
  eosTokenId: { is: (value) => isWhole(value) || IDS.is(value), must: "a token id, or a list of them" },
  stopTokens: IDS,
  stop: { is: (value) => isText(value) || listOf(isText)(value), must: "a text, or a list of texts" },
  regex: {
    is: (value) => isText(value) || value instanceof RegExp,
    must: "an ECMAScript expression: its text, or a RegExp",
  },
  choice: { is: listOf(isText), must: "a list of texts" },
  grammar: { is: isText, must: "the text of a grammar" },
  truncatePrompt: { is: (value) => value === "left" || value === "middle", must: '"left" or "middle"' },
};

/** Throws where an option isn't what it must be; `name` is what it was called. */
export function checkKind(name: string, option: string, value: unknown): void {
  const kind = Object.hasOwn(KINDS, option) ? KINDS[option as keyof GenerateOptions] : undefined;
  if (kind && !kind.is(value))
    throw new GenerateError("option-invalid", `${name} is ${shown(value)}, but must be ${kind.must}`, { option });
}
