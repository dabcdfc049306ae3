export interface EncodeOptions {
  /** Add what the model expects around a text (a beginning-of-text token, mostly). True unless said. */
  readonly addSpecialTokens?: boolean;
  /**
   * Whether control tokens written out in the text, such as `<|im_end|>`, become those tokens. True unless said; turn it
   * off for text from someone who mustn't steer the model with them.
   */
  readonly parseSpecial?: boolean;
}

export interface DecodeOptions {
  /** Leave control tokens out. False unless said. */
  readonly skipSpecialTokens?: boolean;
  /** Take out the spaces before punctuation that some English tokenizers make. False unless said. */
  readonly cleanUpTokenizationSpaces?: boolean;
}

/** Ids with the place each came from: `offsets[2 * i]` to `offsets[2 * i + 1]`, in UTF-16 units of the text. */
export interface Encoding {
  readonly ids: Int32Array;
  /** Added tokens have empty places; tokens that hold part of a character have the place of the whole character. */
  readonly offsets: Int32Array;
}

export type Side = "left" | "right";

export interface BatchOptions extends EncodeOptions {
  /** Fill shorter texts up to the longest one, or to `maxLength` with `padTo: "max"`. Not unless said. */
  readonly padding?: Side | "none";
  readonly padTo?: "longest" | "max";
  /** Round the padded length up to a multiple of this. */
  readonly padToMultipleOf?: number;
  /** Which token fills; the tokenizer's own unless said, else its end-of-text token. */
  readonly padTokenId?: number;
  /** Which end of a text longer than `maxLength` is cut off. `right` unless said. */
  readonly truncation?: Side | "none";
  readonly maxLength?: number;
}

export interface Batch {
  readonly ids: readonly Int32Array[];
  /** 1 for a token, 0 for filling. */
  readonly attentionMask: readonly Uint8Array[];
}
