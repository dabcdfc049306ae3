import { GrammarError } from "../error.ts";
import { ANY, type CodePoints, charactersOf, codePoints, intersect, invert, union } from "../rules/code-points.ts";
import { classEscape, controlEscapes } from "./classes.ts";
import { allOf, type Expression, oneOf, times } from "./expression.ts";
import { withUnicodeRules } from "./unicode-rules.ts";

/** Longer ones say what a list of choices or a grammar says better. */
const MAX_LENGTH = 16_384;
/** Groups within groups; deeper comes from a hostile hand. */
const MAX_NESTING = 250;
/** Rounds that may be asked of one repetition. */
const MAX_COUNT = 100_000;

/**
 * Reads an ECMAScript regular expression, by the `u` flag's rules; what only older rules allow, and Python's names and ends, are read
 * as what they are. Look-behind, back references and flags inside are refused by name.
 *
 * @example parseRegex("[a-z]+@example\\.com")
 */
export function parseRegex(source: string): Expression {
  if (source.length > MAX_LENGTH) {
    throw new GrammarError("limit", `a regular expression has more than ${MAX_LENGTH} characters; make it smaller`);
  }
  return new Parser(source, checked(source)).expression();
}

/** The expression by the `u` flag's rules. */
function checked(source: string): string {
  try {
    new RegExp(source, "u");
    return source;
  } catch {
    const plain = withUnicodeRules(source);
    try {
      new RegExp(plain, "u");
      return plain;
    } catch (error) {
      throw new GrammarError("syntax", `the regular expression ${quote(source)} is not valid: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
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

/** Any one of these characters; surrogates stand for none. */
const only = (set: CodePoints): Expression => ({ kind: "chars", set: isPlain(set) ? set : intersect(set, ANY) });

/** True for one character that is no surrogate, as most parts of an expression are. */
const isPlain = ([code, last, ...others]: CodePoints): boolean =>
  code === last && others.length === 0 && !(code! >= 0xd800 && code! <= 0xdfff);

class Parser {
  readonly #source: string;
  readonly #chars: readonly string[];
  #at = 0;
  #nesting = 0;

  /** @param source the expression as it was given, for messages; `valid` is the one to read */
  constructor(source: string, valid: string) {
    this.#source = source;
    this.#chars = Array.from(valid);
  }

  expression(): Expression {
    return this.#alternatives();
  }

  #alternatives(): Expression {
    const branches: Expression[] = [];
    do {
      const parts: Expression[] = [];
      while (this.#at < this.#chars.length && this.#peek() !== "|" && this.#peek() !== ")") parts.push(this.#term());
      branches.push(allOf(parts));
    } while (this.#take("|"));
    return oneOf(branches);
  }

  #term(): Expression {
    const atom = this.#atom();
    const [min, max] = this.#quantifier();
    return times(atom, min, max);
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

  #atom(): Expression {
    const char = this.#chars[this.#at++];
    switch (char) {
      case "(":
        return this.#group();
      case "[":
        return only(this.#class());
      case ".":
        return only(invert(charactersOf("\n\r\u2028\u2029")));
      case "\\":
        return this.#escape();
      case "^":
        return { kind: "assert", what: "start" };
      case "$":
        return { kind: "assert", what: "end" };
      default:
        return only(charactersOf(char!));
    }
  }

  #group(): Expression {
    let ahead: "=" | "!" | undefined;
    if (this.#take("?")) {
      if (this.#take("<")) {
        if (this.#peek() === "=" || this.#peek() === "!") throw this.#unsupported("look-behind");
        this.#until(">");
      } else if (this.#take("=")) ahead = "=";
      else if (this.#take("!")) ahead = "!";
      else if (!this.#take(":")) throw this.#unsupported("flags inside the expression");
    }
    if (++this.#nesting > MAX_NESTING) throw new GrammarError("limit", `groups are nested deeper than ${MAX_NESTING}`);
    const inside = this.#alternatives();
    this.#nesting--;
    this.#at++; // the bracket, which a valid expression has
    return ahead === undefined ? inside : { kind: "look", of: inside, negative: ahead === "!" };
  }

  #escape(): Expression {
    const char = this.#peek();
    if (this.#take("b")) return { kind: "assert", what: "boundary" };
    if (this.#take("B")) return { kind: "assert", what: "inside" };
    if ((char >= "1" && char <= "9") || char === "k") throw this.#unsupported("a back reference");
    return only(this.#escapedSet());
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
