import type { Lines } from "./ask-lines.ts";
import type { Progress } from "./progress.ts";

/** What a command may do to the outside, passed in so that tests see it. */
export interface Io {
  /** Whether a JSON document is wanted: then nothing else goes to stdout. */
  readonly json: boolean;
  /** Whether stdout is somebody's terminal, and no file or program. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Writes to stdout at once, for text that streams; does nothing with `--json`. */
  write(text: string): void;
  /** Writes the JSON document at once, where the work goes on after it; does nothing without `--json`. */
  document(json: object): void;
  /** A line on stderr, above the progress display. */
  note(line: string): void;
  /** What is typed or piped, line by line, with a prompt where somebody types. */
  lines(prompt: string): Lines;
  /** A line that is typed and not shown, asked for on stderr; undefined where the input ends. Only for terminals. */
  secret(prompt: string): Promise<string | undefined>;
  /** All of stdin as text; undefined when it is a terminal. */
  readStdin(): Promise<string | undefined>;
}
