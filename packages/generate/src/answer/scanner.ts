/**
 * Reads one call a character at a time: what it knows depends on what came, never on how that was cut. From where it is certain
 * on it is a call, whatever follows.
 */
export interface Scanner {
  readonly name: string | undefined;
  /** True once the call is closed. */
  readonly ended: boolean;
  /** True where the text turned out to be something else than a call. */
  readonly broken: boolean;
  /** True from where on it is a call for certain. */
  readonly certain: boolean;
  /** Reads on, and says how much of the text belonged to the call. */
  feed(text: string): number;
  /** What has come of the arguments, as JSON, since it was last asked. */
  takeArguments(): string;
}
