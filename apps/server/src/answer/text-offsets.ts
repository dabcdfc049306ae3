import type { Tokenizer } from "@llm/tokenizer-bpe";

/** Where the tokens of a text begin in it, counted in characters. One that begins within a character begins where that does. */
export class TextOffsets {
  readonly #tokenizer: Tokenizer;
  readonly #skipsSpecial: boolean;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #at: number;

  /**
   * @param before what stands before the first of them
   * @param skipsSpecial whether special tokens are no part of an answer's text
   */
  constructor(tokenizer: Tokenizer, before: string, skipsSpecial: boolean) {
    this.#tokenizer = tokenizer;
    this.#skipsSpecial = skipsSpecial;
    this.#at = lengthOf(before);
  }

  /** Those of a prompt's tokens. Its text has all but the one that the tokenizer begins every prompt with. */
  ofPrompt(tokens: readonly Identified[], text: string): number[] {
    return tokens.map(({ id }, i) => {
      const isAdded = i === 0 && this.#tokenizer.isSpecial(id) && !text.startsWith(this.#tokenizer.decode([id]));
      return this.#next(id, !isAdded);
    });
  }

  /** Those of the next tokens of an answer. */
  ofAnswer(tokens: readonly Identified[]): number[] {
    return tokens.map(({ id }) => this.#next(id, !(this.#skipsSpecial && this.#tokenizer.isSpecial(id))));
  }

  /** Where a token begins; the next one begins behind it, where it is part of the text. */
  #next(id: number, isPart: boolean): number {
    const at = this.#at;
    if (isPart) this.#at += lengthOf(this.#decoder.decode(this.#tokenizer.tokenBytes(id), { stream: true }));
    return at;
  }
}

interface Identified {
  readonly id: number;
}

/** Characters as most programs count them: what takes two places in JavaScript is one. */
const lengthOf = (text: string): number => {
  let length = 0;
  for (const _ of text) length++;
  return length;
};
