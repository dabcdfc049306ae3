import type { Tokenizer } from "@llm/tokenizer-bpe";

/** Where the tokens of a text begin in it, counted in characters. One that begins within a character begins where that does. */
export class TextOffsets {
  readonly #tokenizer: Tokenizer;
  readonly #skipsSpecial: boolean;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #at: number;
  #isFirst = true;

  /** @param before what stands before the first of them; `skipsSpecial`: whether special tokens are no part of an answer's text */
  constructor(tokenizer: Tokenizer, before: string, skipsSpecial: boolean) {
    this.#tokenizer = tokenizer;
    this.#skipsSpecial = skipsSpecial;
    this.#at = lengthOf(before);
  }

  /** Those of a prompt's tokens. Its text has all but the one that the tokenizer begins every prompt with. */
  ofPrompt(tokens: readonly Identified[], text: string): number[] {
    const offsets = tokens.map(({ id }, i) => {
      const isAdded = i === 0 && this.#tokenizer.isSpecial(id) && !text.startsWith(this.#tokenizer.decode([id]));
      return this.#next(id, !isAdded);
    });
    return offsets;
  }

  /** Those of the next tokens of an answer, which goes on in a text: nothing is left out of its first one. */
  ofAnswer(tokens: readonly Identified[]): number[] {
    this.#isFirst = false;
    return tokens.map(({ id }) => this.#next(id, !(this.#skipsSpecial && this.#tokenizer.isSpecial(id))));
  }

  /** Where a token begins; the next one begins behind it, where it is part of the text. */
  #next(id: number, isPart: boolean): number {
    const at = this.#at;
    if (!isPart) return at;
    const text = this.#decoder.decode(this.#tokenizer.tokenBytes(id), { stream: true });
    // Some tokenizers leave out the blank that a text's first token begins with.
    const isBlankLeft = this.#isFirst && text === ` ${this.#tokenizer.decode([id])}`;
    this.#isFirst = false;
    this.#at += lengthOf(text) - (isBlankLeft ? 1 : 0);
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
