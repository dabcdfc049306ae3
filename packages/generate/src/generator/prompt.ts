import { ContextOverflowError, GenerateError, shown } from "../error.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { type GenerateOptions, listOf } from "./options.ts";

/** Text, or token ids as they are: numbers, or bigints as transformers.js has them. */
export type Prompt = string | ArrayLike<number> | ArrayLike<bigint>;

interface Fit extends Pick<GenerateOptions, "inputLen" | "truncatePrompt"> {
  readonly room: number;
  /** How many of the room are for the answer. */
  readonly reserve: number;
  /** What is fitted, in words. */
  readonly what?: string;
}

/** Fits a prompt into `room`, if it was said how; else one that leaves no room for a token is refused with the numbers. */
export function fitPrompt(
  prompt: Int32Array,
  { room, reserve, inputLen = Number.POSITIVE_INFINITY, truncatePrompt: truncate, what }: Fit,
): Int32Array {
  const tokens = shorten(prompt, inputLen, truncate ?? "left");
  if (truncate) return shorten(tokens, Math.max(1, room - Math.min(reserve, room - 1)), truncate);
  if (tokens.length >= room) throw new ContextOverflowError(tokens.length, room - 1, what);
  return tokens;
}

/** A prompt's end, or its beginning and its end, of so many tokens at most. */
function shorten(tokens: Int32Array, most: number, truncate: "left" | "middle"): Int32Array {
  if (tokens.length <= most) return tokens;
  if (truncate === "left") return tokens.slice(tokens.length - most);
  const head = Math.ceil(most / 2);
  const kept = new Int32Array(most);
  kept.set(tokens.subarray(0, head));
  kept.set(tokens.subarray(tokens.length - (most - head)), head);
  return kept;
}

/** Tokens of an answer where nothing is said. */
const DEFAULT_NEW_TOKENS = 256;

/** A prompt's ids as they go to the model, and how many tokens are to follow at most. */
export interface Fitted {
  readonly tokens: Int32Array;
  readonly maxNewTokens: number;
}

/**
 * Fits a prompt into `room`, and says how many tokens are to follow: `usual`, where nobody says that. `maxLength` is a limit of its own,
 * to which a prompt is cut too if it may be cut.
 */
export function promptAndMost(
  encoded: Int32Array,
  all: number,
  { maxNewTokens: asked, maxLength, ...how }: GenerateOptions,
  usual = DEFAULT_NEW_TOKENS,
): Fitted {
  // What is only read takes all the room there is.
  if (asked === 0) return { tokens: fitPrompt(encoded, { ...how, room: all + 1, reserve: 1 }), maxNewTokens: 0 };
  if (asked !== undefined || maxLength === undefined) {
    const maxNewTokens = asked ?? usual;
    return { tokens: fitPrompt(encoded, { ...how, room: all, reserve: asked ?? reserveOf(all) }), maxNewTokens };
  }
  const room = how.truncatePrompt ? Math.min(all, maxLength) : all;
  const tokens = fitPrompt(encoded, { ...how, room, reserve: reserveOf(room) });
  return { tokens, maxNewTokens: roomLeft(tokens.length, maxLength) };
}

/** What of the room is kept for an answer of unknown length. */
function reserveOf(room: number): number {
  return Math.min(DEFAULT_NEW_TOKENS, Math.floor(room / 2));
}

/** How many tokens may follow a prompt of so many, when both together have a limit. */
function roomLeft(promptLength: number, maxLength: number): number {
  if (promptLength >= maxLength)
    throw new GenerateError(
      "option-invalid",
      `the prompt's ${promptLength} tokens leave nothing of maxLength ${maxLength}`,
    );
  return maxLength - promptLength;
}

/** Ids of a prompt; ids stay what they are. */
export function encodePrompt(
  tokenizer: TextTokenizer,
  prompt: Prompt,
  { addSpecialTokens = true, suffix, inputLen, truncatePrompt }: GenerateOptions,
): Int32Array {
  if (suffix !== undefined) {
    if (typeof prompt !== "string" || typeof suffix !== "string")
      throw new GenerateError("option-invalid", "what is filled in stands between two texts: prompt and suffix");
    if (inputLen !== undefined || truncatePrompt !== undefined)
      throw new GenerateError(
        "unsupported",
        "a prompt with a suffix is not cut; leave out inputLen and truncatePrompt",
      );
    if (!tokenizer.encodeInfill)
      throw new GenerateError("unsupported", "this tokenizer doesn't know how its model fills in before a suffix");
    return Int32Array.from(tokenizer.encodeInfill({ prefix: prompt, suffix, addSpecialTokens }));
  }
  return typeof prompt === "string" ? Int32Array.from(tokenizer.encode(prompt, { addSpecialTokens })) : idsOf(prompt);
}

/** Ids as they are; what isn't one would be rounded to another. */
function idsOf(prompt: ArrayLike<number | bigint>): Int32Array {
  if (typeof prompt !== "object" || prompt === null || typeof prompt.length !== "number")
    throw new GenerateError("option-invalid", `a prompt is a text or a list of token ids, not ${shown(prompt)}`);
  return Int32Array.from({ length: prompt.length }, (_, i) => {
    const id = typeof prompt[i] === "bigint" ? Number(prompt[i]) : prompt[i];
    if (typeof id === "number" && Number.isInteger(id) && id === (id | 0)) return id;
    throw new GenerateError(
      "option-invalid",
      `the prompt's ${shown(prompt[i])} is no token id, which is a whole number`,
    );
  });
}

/** Ids of what an answer may look like. */
export function predicted(tokenizer: TextTokenizer, prediction: Prompt): Int32Array {
  return encodePrompt(tokenizer, prediction, { addSpecialTokens: false });
}

/** Tokens that end a text, each once. */
export function endsOf(
  tokenizer: TextTokenizer,
  { eosTokenId, stopTokens = [], suffix }: GenerateOptions,
): readonly number[] {
  const filledIn = suffix === undefined ? [] : (tokenizer.infillEnds ?? []);
  return [...new Set([...listOf(eosTokenId ?? tokenizer.eosTokenId), ...filledIn, ...stopTokens])];
}
