/** Turns token strings into pieces of text, which are then joined. */
export type DecodeStep = (tokens: readonly string[]) => string[];

export interface Decoder {
  /** The text is the tokens' bytes, one after another: nothing depends on a token's place. */
  readonly byteLevel: boolean;
  /** The text of these tokens. */
  decode(tokens: readonly string[]): string;
}
