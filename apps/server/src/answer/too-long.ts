import { ContextOverflowError } from "@llm/generate";
import type { Tokenizer } from "@llm/tokenizer-bpe";
import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";

/** Characters from which a text is looked at before it becomes tokens, which takes everybody's time: shorter ones take little. */
const LOOKED_AT = 2 ** 17;

/** Some tokenizers compose characters first: three become one at most. */
const COMPOSED = 3;

/** A text of which it is known without counting that it can't fit: `tokens` is how many it has at least. */
export class HopelessTextError extends ContextOverflowError {}

const longest = new WeakMap<Tokenizer, number>();

/**
 * Refuses a text that has more characters than the model has room for even in its longest tokens.
 * @param most tokens that fit
 */
export function refuseHopeless({ tokenizer }: Generator, text: string, most: number): void {
  if (text.length < LOOKED_AT) return;
  const tokens = Math.ceil(text.length / (COMPOSED * longestToken(tokenizer)));
  if (tokens > most) throw new HopelessTextError(tokens, most);
}

/** Refuses a prompt that can't fit before it is made tokens, unless it is to be cut. */
export function checkLength(generator: Generator, { prompt, options }: Ask): void {
  const isCut = options.truncatePrompt !== undefined || options.inputLen !== undefined;
  if (typeof prompt === "string" && !isCut) refuseHopeless(generator, prompt, generator.scheduler.room - 1);
}

/** Bytes of a tokenizer's longest token: characters of a text are no more. */
function longestToken(tokenizer: Tokenizer): number {
  let most = longest.get(tokenizer);
  if (most === undefined) {
    most = 1;
    for (let id = 0; id < tokenizer.vocabSize; id++) most = Math.max(most, tokenizer.tokenBytes(id).length);
    longest.set(tokenizer, most);
  }
  return most;
}
