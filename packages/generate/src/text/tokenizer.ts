/** What a Generator needs of a tokenizer; @llm/tokenizer-bpe's fits as it is. */
export interface TextTokenizer {
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): ArrayLike<number>;
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /** Decodes ids as they come, never inside a character. */
  stream(options?: { readonly skipSpecialTokens?: boolean }): TextStream;
  readonly eosTokenId?: number | undefined;
  /** A prompt that asks for what belongs between two texts, and the tokens that end such an answer. */
  encodeInfill?(request: InfillTexts): ArrayLike<number>;
  readonly infillEnds?: readonly number[];
  /** What a token adds to a text, for answers that are held to a form. */
  tokenBytes?(id: number): Uint8Array;
  isSpecial?(id: number): boolean;
  /** The token of this very text: for control tokens that mark where thoughts and calls begin and end. */
  tokenToId?(token: string): number | undefined;
  /** How conversations are written; `stops` end an answer where no token does. */
  readonly chatTemplate?: { readonly stops: readonly string[] };
  /** The template's own text: it shows how the model was taught to write thoughts and calls. */
  readonly chatTemplateSource?: string | undefined;
  applyChatTemplate?(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}

export interface InfillTexts {
  readonly prefix: string;
  readonly suffix: string;
  readonly addSpecialTokens?: boolean;
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
  /** Further variables of the template, such as `{ enable_thinking: false }`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}
