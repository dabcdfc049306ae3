import { GrammarError } from "../error.ts";
import {
  ANY,
  type CodePoints,
  charactersOf,
  codePoints,
  intersect,
  invert,
  subtract,
  union,
} from "../rules/code-points.ts";
import { alt, chars, EMPTY, type Rule, repeat, seq } from "../rules/rule.ts";
import { classEscape, controlEscapes } from "./classes.ts";

/** An expression, and which of its ends are tied to the text's. */
export interface Pattern {
  readonly rule: Rule;
  readonly anchoredStart: boolean;
  readonly anchoredEnd: boolean;
}

/** Longer ones say what a list of choices or a grammar says better. */
const MAX_LENGTH = 16_384;
/** Groups within groups; deeper comes from a hostile hand. */
const MAX_NESTING = 250;
/** Rounds that may be asked of one repetition. */
const MAX_COUNT = 100_000;

/**
 * Reads an ECMAScript regular expression (with the `u` flag's rules) as a rule. Look-around, back references, word
 * boundaries, and anchors but at the very ends describe no rule and are refused by name.
 *
 * @example parseRegex("[a-z]+@example\\.com")
 */
export function parseRegex(source: string): Pattern {
  if (source.length > MAX_LENGTH) {
    throw new GrammarError("limit", `a regular expression has more than ${MAX_LENGTH} characters; make it smaller`);
  }
  try {
    new RegExp(source, "u");
  } catch (error) {
    throw new GrammarError("syntax", `the regular expression ${quote(source)} is not valid: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return new Parser(source).pattern();
}

/** An expression in a message: on one line, and not all of it where it is long. */
function quote(source: string): string {
  const line = JSON.stringify(source).slice(1, -1).replaceAll("\\\\", "\\");
  return `/${line.length > 60 ? `${line.slice(0, 60)}…` : line}/`;
}

function reasonOf(error: unknown): string {
  return String((error as Error).message)
    .split(": ")
    .pop()!
    .toLowerCase();
}

class Parser {
  readonly #source: string;
  readonly #chars: readonly string[];
  #at = 0;
  #nesting = 0;

  constructor(source: string) {
    this.#source = source;
    this.#chars = Array.from(source);
  }

  pattern(): Pattern {
    const branches = [this.#branch()];
    while (this.#take("|")) branches.push(this.#branch());
    const starts = branches.filter(({ start }) => start).length;
    const ends = branches.filter(({ end }) => end).length;
    if (starts % branches.length !== 0 || ends % branches.length !== 0) {
      throw this.#unsupported("an anchor in some alternatives only; give it to all, or group them");
    }
    return {
      rule: alt(...branches.map(({ rule }) => rule)),
      anchoredStart: starts > 0,
      anchoredEnd: ends > 0,
    };
  }

  /** An alternative of the outermost level: the only place where anchors have a meaning for the text as a whole. */
  #branch(): { rule: Rule; start: boolean; end: boolean } {
    const start = this.#take("^");
    const parts: Rule[] = [];
    let end = false;
    while (this.#at < this.#chars.length && this.#peek() !== "|") {
      if (end) throw this.#unsupported("an anchor in the middle");
      if (this.#take("$")) end = true;
      else parts.push(this.#term());
    }
    return { rule: seq(...parts), start, end };
  }

  #alternatives(): Rule {
    const branches: Rule[] = [];
    do {
      const parts: Rule[] = [];
      while (this.#at < this.#chars.length && this.#peek() !== "|" && this.#peek() !== ")") parts.push(this.#term());
      branches.push(seq(...parts));
    } while (this.#take("|"));
    return alt(...branches);
  }

  #term(): Rule {
    const atom = this.#atom();
    const [min, max] = this.#quantifier();
    return repeat(atom, min, max);
  }

  #quantifier(): [min: number, max: number] {
    let bounds: [number, number] = [1, 1];
    if (this.#take("*")) bounds = [0, Number.POSITIVE_INFINITY];
    else if (this.#take("+")) bounds = [1, Number.POSITIVE_INFINITY];
    else if (this.#take("?")) bounds = [0, 1];
    else if (this.#take("{")) {
      const inside = this.#until("}");
      const [low, high] = inside.split(",");
      bounds = [Number(low), high === undefined ? Number(low) : high === "" ? Number.POSITIVE_INFINITY : Number(high)];
    } else return bounds;
    // Lazy or greedy makes no difference to which texts match.
    this.#take("?");
    if (bounds[0] > MAX_COUNT || (bounds[1] > MAX_COUNT && bounds[1] !== Number.POSITIVE_INFINITY)) {
      throw new GrammarError("limit", `a repetition in ${quote(this.#source)} asks for more than ${MAX_COUNT} rounds`);
    }
    return bounds;
  }

  #atom(): Rule {
    const char = this.#chars[this.#at++];
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return chars(intersect(this.#class(), ANY));
      case ".":
        return chars(subtract(ANY, charactersOf("\n\r\u2028\u2029")));
      case "\\":
        return this.#escape();
      case "^":
      case "$":
        throw this.#unsupported("an anchor in the middle");
      default:
        return chars(charactersOf(char));
    }
  }

  #group(): Rule {
    if (this.#take("?")) {
      if (this.#take("<")) {
        if (this.#peek() === "=" || this.#peek() === "!") throw this.#unsupported("look-behind");
        this.#until(">");
      } else if (!this.#take(":")) {
        throw this.#unsupported(
          this.#peek() === "=" || this.#peek() === "!" ? "look-ahead" : "flags inside the expression",
        );
      }
    }
    if (++this.#nesting > MAX_NESTING) throw new GrammarError("limit", `groups are nested deeper than ${MAX_NESTING}`);
    const inside = this.#alternatives();
    this.#nesting--;
    this.#at++; // the bracket, which a valid expression has
    return inside;
  }

  #escape(): Rule {
    const char = this.#peek();
    if (char === "b" || char === "B") throw this.#unsupported("a word boundary");
    if ((char >= "1" && char <= "9") || char === "k") throw this.#unsupported("a back reference");
    const set = this.#escapedSet();
    return set.length === 0 ? EMPTY : chars(intersect(set, ANY));
  }

  /** What follows a backslash, inside a class or out. */
  #escapedSet(): CodePoints {
    const char = this.#chars[this.#at++];
    const known = classEscape(char, () => (this.#take("{") ? this.#until("}") : ""));
    if (known) return known;
    const control = controlEscapes[char];
    if (control !== undefined) return codePoints([control, control]);
    const code = this.#codeEscape(char);
    return code === undefined ? charactersOf(char) : codePoints([code, code]);
  }

  #codeEscape(char: string): number | undefined {
    if (char === "x") return Number.parseInt(this.#many(2), 16);
    if (char === "c") return this.#chars[this.#at++].charCodeAt(0) % 32;
    if (char !== "u") return undefined;
    if (this.#take("{")) return Number.parseInt(this.#until("}"), 16);
    const high = Number.parseInt(this.#many(4), 16);
    const pair =
      high >= 0xd800 && high < 0xdc00 && /^\\u[dD][c-fC-F]/.test(this.#chars.slice(this.#at, this.#at + 4).join(""));
    if (!pair) return high;
    this.#at += 2;
    return 0x10000 + ((high - 0xd800) << 10) + (Number.parseInt(this.#many(4), 16) - 0xdc00);
  }

  #class(): CodePoints {
    const negated = this.#take("^");
    const sets: CodePoints[] = [];
    while (!this.#take("]")) {
      const from = this.#member();
      const range =
        this.#peek() === "-" && this.#chars[this.#at + 1] !== "]" && from.length === 2 && from[0] === from[1];
      if (!range) {
        sets.push(from);
        continue;
      }
      this.#at++;
      const to = this.#member();
      sets.push(codePoints([from[0], to[1]]));
    }
    const set = union(...sets);
    return negated ? invert(set) : set;
  }

  #member(): CodePoints {
    if (!this.#take("\\")) return charactersOf(this.#chars[this.#at++]);
    if (this.#take("b")) return [8, 8];
    return this.#escapedSet();
  }

  #peek(): string {
    return this.#chars[this.#at] ?? "";
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #many(count: number): string {
    this.#at += count;
    return this.#chars.slice(this.#at - count, this.#at).join("");
  }

  #until(char: string): string {
    const from = this.#at;
    while (this.#at < this.#chars.length && this.#chars[this.#at] !== char) this.#at++;
    return this.#chars.slice(from, this.#at++).join("");
  }

  #unsupported(what: string): GrammarError {
    return new GrammarError(
      "unsupported",
      `the regular expression ${quote(this.#source)} uses ${what}, which can't be made into a grammar`,
    );
  }
}
