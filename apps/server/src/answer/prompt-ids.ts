import type { Generator } from "@llm/toolchain";
import type { Ask } from "../engine/answers.ts";

/** A prompt's tokens, before anything is left out of one that is too long. */
export function promptIds({ tokenizer }: Generator, { prompt, options }: Ask): readonly number[] {
  if (typeof prompt !== "string") return prompt;
  return Array.from(tokenizer.encode(prompt, { addSpecialTokens: options.addSpecialTokens ?? true }));
}
