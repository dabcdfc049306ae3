/** One of the two that every model has: for a whole prompt, and for one token with a history. */
export interface Stage {
  readonly past: boolean;
  /** Places of a history, and tokens of a prompt's nets. */
  readonly seqLength: number;
}
