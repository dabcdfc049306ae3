import { ASTRAL, classAt, NEWLINE, runEnd, SPACE } from "./char-class.ts";
import type { Scanner } from "./scanner.ts";

/** What `GPT2_PATTERN` matches, without a regular expression. */
export const gpt2Scanner: Scanner = { next };

/** GPT-2's pattern, as Oniguruma and Rust read it; `\s` there is Unicode's White_Space. */
export const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

function next(units: Uint16Array, at: number, end: number): number {
  const unit = units[at];
  let from = at;
  let found: number;
  if (unit === 0x20) {
    if (at + 1 === end) return end;
    found = classAt(units, at + 1) & (ASTRAL - 1);
    if (found === SPACE || found === NEWLINE) return spaceEnd(units, at, end);
    from = at + 1;
  } else {
    if (unit === 0x27) {
      const contraction = contractionEnd(units, at, end);
      if (contraction > at) return contraction;
    }
    found = classAt(units, at) & (ASTRAL - 1);
    if (found === SPACE || found === NEWLINE) return spaceEnd(units, at, end);
  }
  return runEnd(units, from, end, found);
}

/** `\s+(?!\S)|\s+`: all white space but the last when something follows, so that a word keeps its space. */
function spaceEnd(units: Uint16Array, from: number, end: number): number {
  let at = from + 1;
  while (at < end) {
    const found = classAt(units, at);
    if (found !== SPACE && found !== NEWLINE) break;
    at++;
  }
  return at === end || at === from + 1 ? at : at - 1;
}

/** `'s|'t|'re|'ve|'m|'ll|'d`, or `from` when there is none. */
function contractionEnd(units: Uint16Array, from: number, end: number): number {
  const first = from + 1 < end ? units[from + 1] : 0;
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64) return from + 2;
  const second = from + 2 < end ? units[from + 2] : 0;
  if ((first === 0x72 || first === 0x76) && second === 0x65) return from + 3;
  if (first === 0x6c && second === 0x6c) return from + 3;
  return from;
}
