/** What a Generator needs of a tokenizer; @llm/tokenizer-bpe's fits as it is. */
export interface TextTokenizer {
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): ArrayLike<number>;
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /** Decodes ids as they come, never inside a character. */
  stream(options?: { readonly skipSpecialTokens?: boolean }): TextStream;
  readonly eosTokenId?: number | undefined;
  /** What a token adds to a text, for answers that are held to a form. */
  tokenBytes?(id: number): Uint8Array;
  isSpecial?(id: number): boolean;
  /** How conversations are written; `stops` end an answer where no token does. */
  readonly chatTemplate?: { readonly stops: readonly string[] };
  applyChatTemplate?(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}

export interface TextStream {
  push(id: number): string;
  end(): string;
}

export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [key: string]: unknown;
}

export interface ChatTemplateOptions {
  readonly addGenerationPrompt?: boolean;
  readonly tools?: readonly unknown[];
}
