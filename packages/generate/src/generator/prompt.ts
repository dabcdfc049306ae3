import { ContextOverflowError, GenerateError } from "../error.ts";
import type { TextTokenizer } from "../text/tokenizer.ts";
import { type GenerateOptions, listOf } from "./options.ts";

/** Text, or token ids as they are. */
export type Prompt = string | ArrayLike<number>;

/** Fits a prompt into `room`, if it was said how; else one that leaves no room for a token is refused with the numbers. */
export function fitPrompt(
  tokens: Int32Array,
  {
    room,
    reserve,
    truncate,
  }: { readonly room: number; readonly reserve: number; readonly truncate: "left" | "middle" | undefined },
): Int32Array {
  if (!truncate) {
    if (tokens.length >= room) throw new ContextOverflowError(tokens.length, room - 1);
    return tokens;
  }
  const most = Math.max(1, room - Math.min(reserve, room - 1));
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

/** A prompt's ids, fitted into `room`, and how many tokens are to follow at most. */
export function promptAndMost(
  encoded: Int32Array,
  room: number,
  { maxNewTokens: asked, maxLength, truncatePrompt: truncate }: GenerateOptions,
): { readonly tokens: Int32Array; readonly maxNewTokens: number } {
  const tokens = fitPrompt(encoded, { room, reserve: asked ?? DEFAULT_NEW_TOKENS, truncate });
  const maxNewTokens = asked ?? (maxLength === undefined ? DEFAULT_NEW_TOKENS : roomLeft(tokens.length, maxLength));
  return { tokens, maxNewTokens };
}

/** How many tokens may follow a prompt of so many, when both together have a limit. */
export function roomLeft(promptLength: number, maxLength: number): number {
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
  { addSpecialTokens = true }: GenerateOptions,
): Int32Array {
  return Int32Array.from(typeof prompt === "string" ? tokenizer.encode(prompt, { addSpecialTokens }) : prompt);
}

/** Ids of what an answer may look like. */
export function predicted(tokenizer: TextTokenizer, prediction: Prompt): Int32Array {
  return encodePrompt(tokenizer, prediction, { addSpecialTokens: false });
}

/** Tokens that end a text, each once. */
export function endsOf(tokenizer: TextTokenizer, { eosTokenId, stopTokens = [] }: GenerateOptions): readonly number[] {
  return [...new Set([...listOf(eosTokenId ?? tokenizer.eosTokenId), ...stopTokens])];
}
