import type { Progress, StageResult } from "./progress.ts";
import { seconds } from "./units.ts";

/** One line a stage when it ends: for logs and pipes. */
export function plainProgress(write: (text: string) => void): Progress {
  let current: string | undefined;
  return {
    begin: (name) => {
      current = name;
    },
    update: () => {},
    end: (result) => {
      if (current !== undefined) write(`${current.padEnd(9)} ${outcome(result)}\n`);
      current = undefined;
    },
    line: (text) => write(`${text}\n`),
    close: () => {},
  };
}

function outcome({ skipped, failed, note, seconds: took }: StageResult): string {
  if (skipped) return `skipped: ${note ?? "up to date"}`;
  const what = failed ? "failed" : seconds(took);
  return note === undefined ? what : `${what.padEnd(8)} ${note}`;
}
