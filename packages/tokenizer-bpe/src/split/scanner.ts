/** Cuts text into pre-tokens that follow one another without gaps. */
export interface Scanner {
  /** Called before each new text, for scanners that keep a state; the units' array may be the same with other content. */
  begin?(): void;
  /** The end of the pre-token that starts at unit `at`; the text ends at unit `end`. Always past `at`. */
  next(units: Uint16Array, at: number, end: number): number;
}
