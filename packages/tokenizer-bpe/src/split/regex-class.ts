import { invalid, printable } from "../error.ts";

/** A piece of translated pattern, and the position after what it was read from. */
export interface Translated {
  readonly text: string;
  readonly end: number;
}

/** What stands for a set of characters after a backslash; Oniguruma and Rust mean Unicode's sets by all of them. */
const sets: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]",
  W: "[^\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]",
  h: "[0-9A-Fa-f]",
  H: "[^0-9A-Fa-f]",
};

const controls: Readonly<Record<string, string>> = {
  n: "\\n",
  r: "\\r",
  t: "\\t",
  f: "\\f",
  v: "\\v",
  a: "\\x07",
  e: "\\x1b",
  "0": "\\0",
};

const posix: Readonly<Record<string, string>> = {
  alpha: "\\p{Alphabetic}",
  digit: "\\p{Nd}",
  alnum: "[\\p{Alphabetic}\\p{Nd}]",
  space: "\\p{White_Space}",
  upper: "\\p{Uppercase}",
  lower: "\\p{Lowercase}",
  punct: "[\\p{P}\\p{S}]",
  cntrl: "\\p{Cc}",
  xdigit: "[0-9A-Fa-f]",
};

/** The class in brackets at a position. */
export function readClass(pattern: string, from: number, depth = 0): Translated {
  if (depth > 20) throw invalid("a pattern nests more than 20 classes");
  let at = from + 1;
  let text = "[";
  if (pattern[at] === "^") {
    text += "^";
    at++;
  }
  let first = true;
  for (;;) {
    const char = pattern[at] === undefined ? undefined : String.fromCodePoint(pattern.codePointAt(at)!);
    if (char === undefined) throw invalid(`unbalanced "[" in the pattern ${printable(pattern)}`);
    if (char === "]" && !first) return { text: `${text}]`, end: at + 1 };
    const item = readItem(pattern, at, char, depth);
    at = item.end;
    text += item.text;
    // A range has a plain character on both sides; a dash anywhere else is itself.
    if (pattern[at] === "-" && pattern[at + 1] !== "]" && pattern[at + 1] !== undefined && !isSet(item.text)) {
      const last = readItem(pattern, at + 1, String.fromCodePoint(pattern.codePointAt(at + 1)!), depth);
      text += isSet(last.text) ? `\\-${last.text}` : `-${last.text}`;
      at = last.end;
    }
    first = false;
  }
}

function readItem(pattern: string, at: number, char: string, depth: number): Translated {
  if (char === "[") {
    const named = /^\[:(\^?)([a-z]+):\]/.exec(pattern.slice(at, at + 16));
    if (named === null) return readClass(pattern, at, depth + 1);
    const set = posix[named[2]];
    if (set === undefined) throw invalid(`unknown class ${named[0]} in the pattern ${printable(pattern)}`);
    return { text: named[1] === "^" ? `[^${set}]` : set, end: at + named[0].length };
  }
  if (char === "\\") return readClassEscape(pattern, at);
  if (pattern.startsWith("&&", at)) return { text: "&&", end: at + 2 };
  return { text: literalInClass(char), end: at + char.length };
}

function isSet(text: string): boolean {
  return /^(?:\[|\\[pP]|&&)/.test(text);
}

/** The escape at a position, as it is written inside a class with the `v` flag. */
export function readClassEscape(pattern: string, at: number): Translated {
  const char = pattern[at + 1];
  if (char === undefined) throw invalid(`the pattern ${printable(pattern)} ends with a backslash`);
  if (Object.hasOwn(sets, char)) return { text: sets[char], end: at + 2 };
  if (Object.hasOwn(controls, char)) return { text: controls[char], end: at + 2 };
  const rest = pattern.slice(at, at + 64);
  const property = /^\\([pP])(?:\{(\^?)([^}]+)\}|([A-Z]))/.exec(rest);
  if (property !== null) {
    const negative = (property[1] === "P") !== (property[2] === "^");
    return {
      text: `\\${negative ? "P" : "p"}{${propertyName(property[3] ?? property[4])}}`,
      end: at + property[0].length,
    };
  }
  const code = /^\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4}))/.exec(rest);
  if (code !== null)
    return {
      text: `\\u{${(code[1] ?? code[2] ?? code[3] ?? code[4]).toLowerCase()}}`,
      end: at + code[0].length,
    };
  if (/[A-Za-z0-9]/.test(char)) throw invalid(`unknown escape \\${char} in the pattern ${printable(pattern)}`);
  const literal = String.fromCodePoint(pattern.codePointAt(at + 1)!);
  return { text: literalInClass(literal), end: at + 1 + literal.length };
}

/** Script names stand alone there, and need `Script=` here; case and separators are free there. */
function propertyName(name: string): string {
  if (/^(?:L|M|N|P|S|Z|C)[a-zA-Z&]?$/.test(name)) return name === "L&" ? "LC" : name;
  for (const candidate of [name, `Script=${name}`]) {
    try {
      new RegExp(`\\p{${candidate}}`, "v");
      return candidate;
    } catch {
      // Not by this name.
    }
  }
  throw invalid(`unknown character property ${printable(name)}`);
}

function literalInClass(char: string): string {
  return /^[\^$\\.*+?()[\]{}|/&\-!#%,:;<=>@`~]$/.test(char) ? `\\${char}` : char;
}
