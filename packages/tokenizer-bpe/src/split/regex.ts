import { invalid, printable, TokenizerError } from "../error.ts";
import { MAX_PATTERN_LENGTH } from "../limits.ts";
import { caseVariants, readClass, readClassEscape } from "./regex-class.ts";

/**
 * Whose regular expressions these are. tokenizer.json's are read by Oniguruma, tiktoken's by Rust's `fancy-regex`; they
 * differ from each other in what `$` and `{1,3}+` mean, and from JavaScript in what white space, words and digits are.
 */
export type Flavour = "oniguruma" | "rust";

/** The same pattern for JavaScript, matching the same text. */
export function translateRegex(pattern: string, flavour: Flavour): RegExp {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new TokenizerError("limit-exceeded", `a pattern is longer than ${MAX_PATTERN_LENGTH} characters`);
  try {
    return new RegExp(new Translator(pattern, flavour).translate(), "gv");
  } catch (error) {
    if (TokenizerError.isInstance(error)) throw error;
    throw invalid(`can't read the pattern ${printable(pattern)}`, error);
  }
}

/** What `\w` means outside a class, where Oniguruma looks Latin-1's characters up in a table of its own. */
const onigurumaWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\xb2\\xb3\\xb9\\xbc-\\xbe";

class Translator {
  readonly #pattern: string;
  readonly #flavour: Flavour;
  #at = 0;
  #atomics = 0;
  #depth = 0;
  /**
   * Inside `(?i:…)`. Written out as classes of both cases, because V8, with the `v` flag, lets the modifier leak into the
   * classes that come after the group.
   */
  #fold = false;

  constructor(pattern: string, flavour: Flavour) {
    this.#pattern = pattern;
    this.#flavour = flavour;
  }

  translate(): string {
    const translated = this.#alternatives();
    if (this.#at < this.#pattern.length) throw invalid(`unbalanced ")" in the pattern ${printable(this.#pattern)}`);
    return translated;
  }

  #alternatives(): string {
    let out = "";
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ")") {
      if (this.#pattern[this.#at] === "|") {
        out += "|";
        this.#at++;
        continue;
      }
      // `(?i)` holds to the end of the group it stands in.
      const flags = /^\(\?([imsx]+)\)/.exec(this.#pattern.slice(this.#at, this.#at + 8));
      if (flags !== null) {
        this.#at += flags[0].length;
        const fold = this.#fold;
        this.#fold ||= flags[1].includes("i");
        const rest = this.#alternatives();
        this.#fold = fold;
        return `${out}(?:${rest})`;
      }
      out += this.#quantified(this.#atom());
    }
    return out;
  }

  #atom(): string {
    const char = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
    this.#at += char.length;
    switch (char) {
      case "(":
        return this.#group();
      case "[": {
        const read = readClass(this.#pattern, this.#at - 1, this.#fold);
        this.#at = read.end;
        return read.text;
      }
      case "\\":
        return this.#escape();
      case ".":
        return "[^\\n]";
      // In Oniguruma these two are the ends of a line, always.
      case "^":
        return this.#flavour === "oniguruma" ? "(?<![^\\n])" : "(?<![^])";
      case "$":
        return this.#flavour === "oniguruma" ? "(?![^\\n])" : "(?![^])";
      default: {
        const variants = this.#fold ? caseVariants(char) : [char];
        return variants.length > 1 ? `[${variants.join("")}]` : literal(char);
      }
    }
  }

  #group(): string {
    if (++this.#depth > 100) throw invalid("a pattern nests more than 100 groups");
    const rest = this.#pattern.slice(this.#at, this.#at + 40);
    const opening = /^\?(?:[:=!]|<[=!]|>|<[A-Za-z_]\w*>|([imsx]*)(?:-[imsx]+)?:)/.exec(rest);
    this.#at += opening?.[0].length ?? 0;
    const fold = this.#fold;
    if (opening?.[1]?.includes("i")) this.#fold = true;
    const body = this.#alternatives();
    this.#fold = fold;
    if (this.#pattern[this.#at] !== ")") throw invalid(`unbalanced "(" in the pattern ${printable(this.#pattern)}`);
    this.#at++;
    this.#depth--;
    if (opening === null) return `(?:${body})`; // nothing reads what groups capture
    if (opening[0] === "?>") return this.#atomic(body);
    if (/^\?<[A-Za-z_]/.test(opening[0])) return `(?:${body})`;
    return /^\?[:imsx-]/.test(opening[0]) ? `(?:${body})` : `(${opening[0]}${body})`;
  }

  /** JavaScript has no atomic groups, but what a lookahead captured is not tried again. */
  #atomic(body: string): string {
    const name = `atomic${this.#atomics++}`;
    return `(?:(?=(?<${name}>${body}))\\k<${name}>)`;
  }

  #escape(): string {
    const char = this.#pattern[this.#at];
    if (char === "A") return this.#took("(?<![^])");
    if (char === "z") return this.#took("(?![^])");
    if (char === "Z") return this.#took("(?=\\n?(?![^]))");
    const word = this.#flavour === "oniguruma" ? onigurumaWord : "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
    if (char === "w" || char === "W") return this.#took(`[${char === "W" ? "^" : ""}${word}]`);
    if (char === "b" || char === "B") {
      const same = `(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`;
      return this.#took(char === "B" ? same : `(?!${same})`);
    }
    const read = readClassEscape(this.#pattern, this.#at - 1);
    this.#at = read.end;
    return read.text.startsWith("\\p") || read.text.startsWith("\\P") ? read.text : `[${read.text}]`;
  }

  #took(text: string): string {
    this.#at++;
    return text;
  }

  #quantified(atom: string): string {
    const found = /^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})/.exec(this.#pattern.slice(this.#at, this.#at + 24));
    if (found === null) return atom;
    this.#at += found[0].length;
    const quantifier = found[0].startsWith("{,") ? `{0${found[0].slice(1)}` : found[0];
    const follows = this.#pattern[this.#at];
    if (follows === "?") {
      this.#at++;
      return `${atom}${quantifier}?`;
    }
    if (follows !== "+") return `${atom}${quantifier}`;
    this.#at++;
    // After an interval Oniguruma reads a second `+` as another repetition, not as "possessive".
    if (quantifier.startsWith("{") && this.#flavour === "oniguruma") return `(?:${atom}${quantifier})+`;
    return this.#atomic(`${atom}${quantifier}`);
  }
}

function literal(char: string): string {
  return /^[\^$\\.*+?()[\]{}|/]$/.test(char) ? `\\${char}` : char;
}
