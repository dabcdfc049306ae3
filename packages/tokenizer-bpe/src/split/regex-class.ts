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
  word: "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}]",
  blank: "[\\t\\p{Zs}]",
};

/** Those of POSIX's names that Oniguruma also takes for properties, where Unicode has no property of that name. */
const namedSets: Readonly<Record<string, string>> = {
  alnum: posix.alnum,
  digit: posix.digit,
  space: posix.space,
  word: "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xb2\\xb3\\xb9\\xbc-\\xbe]",
  punct: "\\p{P}",
};

/** The class in brackets at a position; with `fold`, letters stand for both their cases. */
export function readClass(pattern: string, from: number, fold = false, depth = 0): Translated {
  if (depth > 20) throw invalid("a pattern nests more than 20 classes");
  let at = from + 1;
  const negated = pattern[at] === "^";
  if (negated) at++;
  const operands = [""]; // between `&&`
  let first = true;
  for (;;) {
    const char = charAt(pattern, at);
    if (char === undefined) throw invalid(`unbalanced "[" in the pattern ${printable(pattern)}`);
    if (char === "]" && !first) break;
    first = false;
    if (pattern.startsWith("&&", at)) {
      operands.push("");
      at += 2;
      continue;
    }
    const item = readItem(pattern, at, char, fold, depth);
    at = item.end;
    let text = item.text;
    // A range has a plain character on both sides; a dash anywhere else is itself.
    const after = charAt(pattern, at + 1);
    if (pattern[at] === "-" && after !== "]" && after !== undefined && !isSet(text)) {
      const last = readItem(pattern, at + 1, after, fold, depth);
      text = isSet(last.text) ? `${text}\\-${last.text}` : range(text, last.text, fold);
      at = last.end;
    } else if (fold && !isSet(text)) text = foldedInClass(text);
    operands[operands.length - 1] += text;
  }
  const body = operands.length === 1 ? operands[0] : operands.map((operand) => `[${operand}]`).join("&&");
  return { text: `[${negated ? "^" : ""}${body}]`, end: at + 1 };
}

function charAt(pattern: string, at: number): string | undefined {
  const code = pattern.codePointAt(at);
  return code === undefined ? undefined : String.fromCodePoint(code);
}

function range(first: string, last: string, fold: boolean): string {
  const plain = `${first}-${last}`;
  if (!fold || !/^[A-Za-z]-[A-Za-z]$/.test(plain)) return plain;
  return `${plain}${plain.toLowerCase()}${plain.toUpperCase()}`;
}

function foldedInClass(text: string): string {
  return /^\p{L}$/u.test(text) ? caseVariants(text).join("") : text;
}

/** A character in all its cases, by Unicode's simple folding: `s` is also `ſ`, `k` the Kelvin sign. */
export function caseVariants(char: string): string[] {
  const same = new RegExp(
    `^${/^[\p{L}\p{M}\p{N}]$/u.test(char) ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`}$`,
    "iu",
  );
  const [lower, upper] = [char.toLowerCase(), char.toUpperCase()];
  const candidates = [
    char,
    lower,
    upper,
    lower.toUpperCase(),
    upper.toLowerCase(),
    "ſ",
    "ς",
    "\u212a",
    "\u212b",
    "\u2126",
  ];
  return [...new Set(candidates)].filter((one) => same.test(one));
}

function readItem(pattern: string, at: number, char: string, fold: boolean, depth: number): Translated {
  if (char === "[") {
    const named = /^\[:(\^?)([a-z]+):\]/.exec(pattern.slice(at, at + 16));
    if (named === null) return readClass(pattern, at, fold, depth + 1);
    const set = posix[named[2]];
    if (set === undefined) throw invalid(`unknown class ${named[0]} in the pattern ${printable(pattern)}`);
    return { text: named[1] === "^" ? `[^${set}]` : set, end: at + named[0].length };
  }
  if (char === "\\") return readClassEscape(pattern, at);
  return { text: literalInClass(char), end: at + char.length };
}

function isSet(text: string): boolean {
  return /^(?:\[|\\[pP])/.test(text);
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
    const name = property[3] ?? property[4];
    const end = at + property[0].length;
    const known = Object.hasOwn(namedSets, name.toLowerCase()) ? namedSets[name.toLowerCase()] : undefined;
    if (known !== undefined) return { text: negative ? `[^${known}]` : known, end };
    return { text: `\\${negative ? "P" : "p"}{${propertyName(name)}}`, end };
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
