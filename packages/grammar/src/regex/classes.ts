import { type CodePoints, charactersOf, codePoints, invert, LAST_CODE_POINT, union } from "../rules/code-points.ts";

export const controlEscapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, v: 11, f: 12, 0: 0 };

const digits = codePoints([0x30, 0x39]);
/** What `\b` takes for a letter of a word. */
export const wordCharacters = union(digits, codePoints([0x41, 0x5a], [0x61, 0x7a]), charactersOf("_"));
const space = union(
  charactersOf("\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"),
  codePoints([0x2000, 0x200a]),
);

/** The set of `\d`, `\w`, `\s`, `\p{…}` and their opposites; `name` reads what stands in braces. */
export function classEscape(char: string, name: () => string): CodePoints | undefined {
  switch (char) {
    case "d":
      return digits;
    case "D":
      return invert(digits);
    case "w":
      return wordCharacters;
    case "W":
      return invert(wordCharacters);
    case "s":
      return space;
    case "S":
      return invert(space);
    case "p":
      return property(name());
    case "P":
      return invert(property(name()));
    default:
      return undefined;
  }
}

const properties = new Map<string, CodePoints>();

/** A Unicode property, asked of the engine's own tables a code point at a time: a tenth of a second or more, once for each. */
function property(name: string): CodePoints {
  const known = properties.get(name);
  if (known) return known;
  const test = new RegExp(`^\\p{${name}}$`, "u");
  const set: number[] = [];
  for (let code = 0; code <= LAST_CODE_POINT; code++) {
    if (!test.test(String.fromCodePoint(code))) continue;
    if (set.length > 0 && set[set.length - 1] === code - 1) set[set.length - 1] = code;
    else set.push(code, code);
  }
  properties.set(name, set);
  return set;
}
