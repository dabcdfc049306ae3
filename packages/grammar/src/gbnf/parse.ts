import { GrammarError } from "../error.ts";
import { ANY, type CodePoints, codePoints, intersect, invert } from "../rules/code-points.ts";
import { anyOf, chars, type Grammar, marker, type Rule, ref, repeat, seq, text } from "../rules/rule.ts";

const MAX_NESTING = 250;
const MAX_COUNT = 100_000;

/**
 * Reads a grammar in llama.cpp's notation: `name ::= "text" [a-z] other-rule (a | b)* x{2,5} # comment`, the whole
 * answer matching `root`.
 */
export function parseGbnf(source: string): Grammar {
  return new Parser(source).grammar();
}

class Parser {
  readonly #source: string;
  readonly #rules = new Map<string, Rule>();
  #at = 0;
  #nesting = 0;

  constructor(source: string) {
    this.#source = source;
  }

  grammar(): Grammar {
    this.#space(true);
    while (this.#at < this.#source.length) {
      const name = this.#name();
      this.#space(false);
      if (!this.#take("::=")) throw this.#wrong('"::="');
      this.#space(true);
      if (this.#rules.has(name)) throw new GrammarError("syntax", `the grammar defines rule "${name}" twice`);
      this.#rules.set(name, this.#alternatives());
      this.#space(true);
    }
    return { root: "root", rules: this.#rules };
  }

  /** Inside brackets a line may end anywhere; outside, only around a bar. */
  #alternatives(): Rule {
    const branches = [this.#sequence()];
    for (;;) {
      const end = this.#at;
      this.#space(true);
      if (!this.#take("|")) {
        this.#at = end;
        return anyOf(branches);
      }
      this.#space(true);
      branches.push(this.#sequence());
    }
  }

  #sequence(): Rule {
    const parts: Rule[] = [];
    for (;;) {
      const item = this.#item();
      if (item === undefined) return seq(...parts);
      parts.push(this.#repetition(item));
      this.#space(this.#nesting > 0);
    }
  }

  #item(): Rule | undefined {
    const char = this.#source[this.#at];
    if (char === '"') return this.#literal();
    if (char === "[") return this.#class();
    if (char === ".") {
      this.#at++;
      return chars(ANY);
    }
    if (char === "(") {
      this.#at++;
      if (++this.#nesting > MAX_NESTING)
        throw new GrammarError("limit", `groups are nested deeper than ${MAX_NESTING}`);
      this.#space(true);
      const inside = this.#alternatives();
      this.#nesting--;
      if (!this.#take(")")) throw this.#wrong('")"');
      return inside;
    }
    if (char === "<" || (char === "!" && this.#source[this.#at + 1] === "<")) return this.#token();
    return /[A-Za-z0-9_-]/.test(char ?? "") ? ref(this.#name()) : undefined;
  }

  /** A control token by its name, as `<think>`. */
  #token(): Rule {
    const written = /^!?<[^<>\n]{1,256}>/.exec(this.#source.slice(this.#at, this.#at + 259))?.[0];
    if (written === undefined) throw this.#wrong("the name of a token, as in <think>,");
    if (!/^<[^[]/.test(written)) {
      throw new GrammarError(
        "unsupported",
        `${written} in the grammar can't be held to: tokens can be named, as in <think>, but neither numbered nor ruled out`,
      );
    }
    this.#at += written.length;
    return marker(written);
  }

  #repetition(item: Rule): Rule {
    let rule = item;
    for (let marks = 0; ; marks++) {
      if (marks > MAX_NESTING) throw new GrammarError("limit", `more than ${MAX_NESTING} repetitions of one thing`);
      if (this.#take("*")) rule = repeat(rule, 0, Number.POSITIVE_INFINITY);
      else if (this.#take("+")) rule = repeat(rule, 1, Number.POSITIVE_INFINITY);
      else if (this.#take("?")) rule = repeat(rule, 0, 1);
      else if (this.#take("{")) rule = this.#counted(rule);
      else return rule;
    }
  }

  #counted(rule: Rule): Rule {
    const found = /^\s*(\d*)\s*(,?)\s*(\d*)\s*\}/.exec(this.#source.slice(this.#at));
    if (!found || (found[1] === "" && found[3] === "")) throw this.#wrong('a count such as "{2,5}"');
    this.#at += found[0].length;
    const min = Number(found[1] || 0);
    const max = found[2] === "" ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > max) throw this.#wrong("a count whose second number is not below its first");
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Number.POSITIVE_INFINITY)) {
      throw new GrammarError("limit", `a repetition asks for more than ${MAX_COUNT} rounds`);
    }
    return repeat(rule, min, max);
  }

  #literal(): Rule {
    this.#at++;
    let value = "";
    while (!this.#take('"')) value += String.fromCodePoint(this.#char('"'));
    return text(value);
  }

  #class(): Rule {
    this.#at++;
    const negated = this.#take("^");
    const ranges: [number, number][] = [];
    while (!this.#take("]")) {
      const lo = this.#char("]");
      const range = this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]";
      if (range) this.#at++;
      const hi = range ? this.#char("]") : lo;
      if (hi < lo) throw this.#wrong("a range from the smaller to the larger character");
      ranges.push([lo, hi]);
    }
    const set: CodePoints = codePoints(...ranges);
    return chars(intersect(negated ? invert(set) : set, ANY));
  }

  /** One character of a literal or a class, written out or escaped. */
  #char(end: string): number {
    const code = this.#source.codePointAt(this.#at);
    if (code === undefined) throw this.#wrong(`a closing ${end}`);
    this.#at += code > 0xffff ? 2 : 1;
    if (code !== 0x5c) return code;
    const kind = this.#source[this.#at++] ?? "";
    const plain = { n: 10, r: 13, t: 9, '"': 34, "\\": 92, "[": 91, "]": 93, "-": 45, "^": 94 }[kind];
    if (plain !== undefined) return plain;
    const digits = { x: 2, u: 4, U: 8 }[kind];
    const hex = digits === undefined ? "" : this.#source.slice(this.#at, this.#at + digits);
    const value = /^[0-9a-fA-F]+$/.test(hex) && hex.length === digits ? Number.parseInt(hex, 16) : -1;
    if (value < 0 || value > 0x10ffff) throw this.#wrong(String.raw`an escape such as \n, \x41 or \u0041`);
    this.#at += digits!;
    return value;
  }

  #name(): string {
    const name = /^[A-Za-z0-9_-]+/.exec(this.#source.slice(this.#at, this.#at + 256))?.[0];
    if (!name) throw this.#wrong("the name of a rule");
    this.#at += name.length;
    return name;
  }

  /** Passes over blanks and comments, and over line ends where they mean nothing. */
  #space(lines: boolean): void {
    for (;;) {
      const char = this.#source[this.#at];
      if (char === "#") while (this.#at < this.#source.length && this.#source[this.#at] !== "\n") this.#at++;
      else if (char === " " || char === "\t" || (lines && (char === "\n" || char === "\r"))) this.#at++;
      else return;
    }
  }

  #take(what: string): boolean {
    if (!this.#source.startsWith(what, this.#at)) return false;
    this.#at += what.length;
    return true;
  }

  #wrong(expected: string): GrammarError {
    const line = this.#source.slice(0, this.#at).split("\n").length;
    const found = this.#source.slice(this.#at, this.#at + 16).split("\n")[0];
    return new GrammarError("syntax", `line ${line} of the grammar: ${expected} is expected before "${found}"`);
  }
}
