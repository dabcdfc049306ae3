/** What the published pre-tokenisers distinguish. */
export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 3;
export const NEWLINE = 4; // carriage return and line feed: also white space
export const OTHER = 5;

const letter = /\p{L}/u;
const number = /\p{N}/u;
const space = /\p{White_Space}/u;

// Filled as characters turn up: classifying all of Unicode would take longer than loading the tokenizer.
const classes = new Uint8Array(0x10000);
const astral = new Map<number, number>();

/** The class of a code point below U+10000 that is no surrogate, or 0 while it isn't known. */
export const bmpClasses: Uint8Array = classes;

export function classOf(code: number): number {
  const known = code < 0x10000 ? classes[code] : astral.get(code);
  if (known) return known;
  const found = classify(code);
  if (code < 0x10000) classes[code] = found;
  else astral.set(code, found);
  return found;
}

function classify(code: number): number {
  if (code === 10 || code === 13) return NEWLINE;
  const char = String.fromCodePoint(code);
  if (letter.test(char)) return LETTER;
  if (number.test(char)) return NUMBER;
  return space.test(char) ? SPACE : OTHER;
}

/** The class of the character that starts at a unit. */
export function classAt(units: Uint16Array, at: number): number {
  const unit = units[at];
  const known = classes[unit];
  if (known !== 0) return known;
  if (unit >= 0xd800 && unit < 0xdc00)
    return classOf(0x10000 + ((unit - 0xd800) << 10) + (units[at + 1] - 0xdc00)) + ASTRAL;
  return classOf(unit);
}

/** Added to the class of a character that takes two units. */
export const ASTRAL = 8;

/** The end of the run of one class that starts at a unit. */
export function runEnd(units: Uint16Array, from: number, end: number, wanted: number): number {
  let at = from;
  while (at < end) {
    const found = classes[units[at]] || classAt(units, at);
    if (found === wanted) at++;
    else if (found === wanted + ASTRAL) at += 2;
    else break;
  }
  return at;
}
