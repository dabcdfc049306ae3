import { ASTRAL, classAt, LETTER, NEWLINE, NUMBER, OTHER, runEnd, SPACE } from "./char-class.ts";
import type { Scanner } from "./scanner.ts";

export interface Gpt4Options {
  /** The longest run of digits in one pre-token: 3 (GPT-4, Llama 3) or 1 (Qwen 2). */
  readonly digits: number;
  /** Whether `'ſ` counts as `'s`: it does where the pattern says `(?i:…)`, not where it lists upper and lower case. */
  readonly folding: boolean;
}

/**
 * What this family of patterns matches, without a regular expression:
 * `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
 */
export function gpt4Scanner(options: Gpt4Options): Scanner {
  const { digits, folding } = options;
  return {
    next(units, at, end) {
      const unit = units[at];
      if (unit === 0x27) {
        const contraction = contractionEnd(units, at, end, folding);
        if (contraction > at) return contraction;
      }
      const found = classAt(units, at);
      const kind = found & (ASTRAL - 1);
      const after = at + (found > ASTRAL ? 2 : 1);
      if (kind === LETTER) return runEnd(units, after, end, LETTER);
      if (kind === NUMBER) return digits === 1 ? after : numberEnd(units, after, end, digits - 1);
      const followed = after < end ? classAt(units, after) & (ASTRAL - 1) : 0;
      if (kind !== NEWLINE && followed === LETTER) return runEnd(units, after, end, LETTER);
      if (kind === OTHER || (unit === 0x20 && followed === OTHER)) {
        let stop = runEnd(units, after, end, OTHER);
        while (stop < end && (units[stop] === 10 || units[stop] === 13)) stop++;
        return stop;
      }
      return spaceEnd(units, at, end);
    },
  };
}

function numberEnd(units: Uint16Array, from: number, end: number, most: number): number {
  let at = from;
  for (let i = 0; i < most && at < end; i++) {
    const found = classAt(units, at);
    if (found === NUMBER) at++;
    else if (found === NUMBER + ASTRAL) at += 2;
    else break;
  }
  return at;
}

/** `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break of the run, else as in GPT-2. */
function spaceEnd(units: Uint16Array, from: number, end: number): number {
  let at = from;
  let lineBreak = -1;
  while (at < end) {
    const found = classAt(units, at);
    if (found === NEWLINE) lineBreak = at;
    else if (found !== SPACE) break;
    at++;
  }
  if (lineBreak >= 0) return lineBreak + 1;
  return at === end || at === from + 1 ? at : at - 1;
}

/** The contraction after an apostrophe, in any case, or `from` when there is none. */
function contractionEnd(units: Uint16Array, from: number, end: number, folding: boolean): number {
  const first = from + 1 < end ? units[from + 1] : 0;
  const a = first | 0x20;
  if (first < 0x80 ? a === 0x73 || a === 0x74 || a === 0x6d || a === 0x64 : folding && first === 0x17f) return from + 2;
  const second = from + 2 < end ? units[from + 2] : 0;
  if (first >= 0x80 || second >= 0x80) return from;
  const b = second | 0x20;
  if ((a === 0x72 || a === 0x76) && b === 0x65) return from + 3;
  if (a === 0x6c && b === 0x6c) return from + 3;
  return from;
}
