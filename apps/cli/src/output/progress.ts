/** Says what is going on, on stderr: a lively display on a terminal, plain lines elsewhere, nothing when silenced. */
export interface Progress {
  /** A stage begins. Stages don't nest; beginning one ends the one before. */
  begin(name: string, note?: string): void;
  /** How far it is; `total` 0 where nobody knows. */
  update(state: StageState): void;
  /** It is done, or was not needed. */
  end(result: StageResult): void;
  /** A line that stays, above whatever moves. */
  line(text: string): void;
  /** Takes the display off the terminal; nothing moves until the next `begin`. */
  close(): void;
}

export interface StageState {
  readonly done: number;
  readonly total: number;
  readonly unit?: "bytes" | "items";
  readonly note?: string;
}

export interface StageResult {
  readonly seconds: number;
  readonly skipped?: boolean;
  readonly failed?: boolean;
  readonly note?: string;
}

/** Says nothing. */
export const silent: Progress = {
  begin: () => {},
  update: () => {},
  end: () => {},
  line: () => {},
  close: () => {},
};
