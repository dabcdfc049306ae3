import { GrammarError } from "../error.ts";
import { checkGrammar, isNullable } from "../rules/check.ts";
import type { CodePoints } from "../rules/code-points.ts";
import { anyOf, type Grammar, NEVER, type Rule, ref, repeat, seq } from "../rules/rule.ts";
import { markerBytes } from "../vocabulary/markers.ts";
import { type ByteRange, utf8Sequences } from "./utf8.ts";

/** One instruction of a byte-wise machine with a stack of calls and counted loops. Targets are instruction numbers. */
export type Instruction =
  | {
      readonly op: "byte";
      readonly cases: readonly { readonly lo: number; readonly hi: number; readonly to: number }[];
    }
  | { readonly op: "fork"; readonly to: number[] }
  | { readonly op: "call"; readonly rule: string; readonly next: number }
  /** Runs `body` at least `min` and at most `max` times; the body ends in `again` and is never empty. */
  | { readonly op: "loop"; readonly body: number; readonly min: number; readonly max: number; readonly next: number }
  | { readonly op: "again" }
  | { readonly op: "return" };

export interface Program {
  readonly code: readonly Instruction[];
  /** Where each rule begins. */
  readonly starts: ReadonlyMap<string, number>;
  readonly root: string;
}

/** A grammar past it would take most of a second to compile, with everything else waiting. */
export const MAX_INSTRUCTIONS = 200_000;

/**
 * Translates a grammar; refuses left recursion, undefined rules, and what is too large.
 *
 * @param markers the names of tokens that are no text
 */
export function compile(grammar: Grammar, markers: ReadonlySet<string>): Program {
  return new Compiler(grammar, markers).run();
}

const RETURN = 0;
const AGAIN = 1;

class Compiler {
  readonly #grammar: Grammar;
  readonly #rules: Map<string, Rule>;
  readonly #nullable: Set<string>;
  readonly #code: Instruction[] = [{ op: "return" }, { op: "again" }];
  readonly #waiting: string[] = [];
  readonly #nonEmpty = new Map<string, string>();
  readonly #markers: ReadonlySet<string>;
  /** Where the steps of a set of characters are, and where they go on. */
  readonly #sets = new Map<string, { next: number; start: number; from: number; end: number }>();
  /** Where a rule begins that goes on at a place. */
  readonly #emitted = new Map<Rule, Map<number, number>>();

  constructor(grammar: Grammar, markers: ReadonlySet<string>) {
    this.#grammar = grammar;
    this.#markers = markers;
    this.#nullable = new Set(checkGrammar(grammar));
    this.#rules = new Map(grammar.rules);
  }

  run(): Program {
    const starts = new Map<string, number>();
    this.#waiting.push(this.#grammar.root);
    for (let name = this.#waiting.pop(); name !== undefined; name = this.#waiting.pop()) {
      if (!starts.has(name)) starts.set(name, this.#emit(this.#rules.get(name)!, RETURN));
    }
    return { code: this.#code, starts, root: this.#grammar.root };
  }

  #push(instruction: Instruction): number {
    if (this.#code.length >= MAX_INSTRUCTIONS) {
      throw new GrammarError("limit", `the grammar needs more than ${MAX_INSTRUCTIONS} instructions; make it smaller`);
    }
    return this.#code.push(instruction) - 1;
  }

  /** Instructions that match `rule` and go on at `next`; the result is where they begin. The same ones where they are there. */
  #emit(rule: Rule, next: number): number {
    let known = this.#emitted.get(rule);
    if (!known) {
      known = new Map();
      this.#emitted.set(rule, known);
    }
    const start = known.get(next) ?? this.#write(rule, next);
    known.set(next, start);
    return start;
  }

  #write(rule: Rule, next: number): number {
    switch (rule.kind) {
      case "text":
        return this.#bytes(new TextEncoder().encode(rule.text), next);
      case "marker":
        return this.#markers.has(rule.text)
          ? this.#bytes(markerBytes(rule.text), next)
          : this.#emit({ kind: "text", text: rule.text }, next);
      case "chars":
        return this.#characters(rule.set, next);
      case "seq":
        return rule.of.reduceRight((to, part) => this.#emit(part, to), next);
      case "alt": {
        const texts = textsOf(rule.of);
        if (texts) return this.#texts(texts, 0, next);
        return this.#push({ op: "fork", to: rule.of.map((part) => this.#emit(part, next)) });
      }
      case "ref":
        this.#waiting.push(rule.name);
        return this.#push({ op: "call", rule: rule.name, next });
      case "repeat":
        return this.#repeat(rule, next);
      case "machine":
        return this.#machine(rule, next);
    }
  }

  /** A jump for each state: nothing is called, so nothing is to be returned to. */
  #machine({ states }: Rule & { kind: "machine" }, next: number): number {
    const places = states.map(() => {
      const fork: Instruction = { op: "fork", to: [] };
      return { fork, start: this.#push(fork) };
    });
    for (const [i, { accepting, steps }] of states.entries()) {
      const { to: ways } = places[i]!.fork;
      for (const { on, to } of steps) ways.push(this.#emit(on, places[to]!.start));
      if (accepting) ways.push(next);
    }
    return places[0]!.start;
  }

  #bytes(bytes: Uint8Array, next: number): number {
    return bytes.reduceRight((to, byte) => this.#push({ op: "byte", cases: [{ lo: byte, hi: byte, to }] }), next);
  }

  /** Texts from byte `at` on, sharing beginnings: a list of thousands is one way to read, not thousands. */
  #texts(texts: readonly Uint8Array[], at: number, next: number): number {
    const groups = new Map<number, Uint8Array[]>();
    for (const bytes of texts) {
      if (bytes.length === at) continue;
      const group = groups.get(bytes[at]);
      if (group) group.push(bytes);
      else groups.set(bytes[at], [bytes]);
    }
    const cases = Array.from(groups, ([byte, group]) => ({ lo: byte, hi: byte, to: this.#texts(group, at + 1, next) }));
    const ends = groups.size === 0 || texts.some((bytes) => bytes.length === at);
    if (cases.length === 0) return next;
    const step = this.#push({ op: "byte", cases });
    return ends ? this.#push({ op: "fork", to: [step, next] }) : step;
  }

  #repeat({ of, min, max }: Rule & { kind: "repeat" }, next: number): number {
    if (max === Number.POSITIVE_INFINITY) {
      const fork: Instruction = { op: "fork", to: [] };
      const start = this.#push(fork);
      const body = this.#emit(of, start);
      fork.to.push(body, next);
      // The last of the rounds that must be is the first of those that may be: nested ones would double at each level.
      if (min === 0) return start;
      return min === 1 ? body : this.#emit(repeat(of, min - 1, min - 1), body);
    }
    if (max === 1)
      return min === 1 ? this.#emit(of, next) : this.#push({ op: "fork", to: [this.#emit(of, next), next] });
    // Empty rounds would count without reading anything; as many as are needed may always be empty.
    const nullable = isNullable(of, this.#nullable);
    const body = this.#emit(nullable ? this.#withoutEmpty(of) : of, AGAIN);
    return this.#push({ op: "loop", body, min: nullable ? 0 : min, max, next });
  }

  /** The same texts but the empty one. */
  #withoutEmpty(rule: Rule): Rule {
    switch (rule.kind) {
      case "text":
      case "marker":
        return rule.text === "" ? NEVER : rule;
      case "chars":
        return rule;
      case "alt":
        return anyOf(rule.of.map((part) => this.#withoutEmpty(part)));
      case "repeat":
        return isNullable(rule.of, this.#nullable)
          ? repeat(this.#withoutEmpty(rule.of), 1, rule.max)
          : repeat(rule.of, Math.max(rule.min, 1), rule.max);
      case "seq":
        return this.#sequenceWithoutEmpty(rule.of);
      case "machine": {
        const [first] = rule.states;
        if (!first?.accepting) return rule;
        const moved = rule.states.map(({ accepting, steps }) => ({
          accepting,
          steps: steps.map(({ on, to }) => ({ on, to: to + 1 })),
        }));
        return { kind: "machine", states: [{ ...moved[0]!, accepting: false }, ...moved] };
      }
      case "ref": {
        if (!this.#nullable.has(rule.name)) return rule;
        let name = this.#nonEmpty.get(rule.name);
        if (name === undefined) {
          name = `${rule.name}\0`; // no notation can write it
          this.#nonEmpty.set(rule.name, name);
          this.#rules.set(name, this.#withoutEmpty(this.#rules.get(rule.name)!));
        }
        return ref(name);
      }
    }
  }

  /** The first part that isn't empty, and what may follow: each rest is a rule of its own, or they would be quadratic. */
  #sequenceWithoutEmpty(parts: readonly Rule[]): Rule {
    const last = parts.findIndex((part) => !isNullable(part, this.#nullable));
    const firsts = last < 0 ? parts : parts.slice(0, last + 1);
    let rest: Rule = seq(...parts.slice(firsts.length));
    const ways: Rule[] = [];
    for (const part of firsts.toReversed()) {
      ways.push(seq(isNullable(part, this.#nullable) ? this.#withoutEmpty(part) : part, rest));
      const name = `${this.#rules.size}\0rest`;
      const whole = seq(part, rest);
      this.#rules.set(name, whole);
      if (isNullable(whole, this.#nullable)) this.#nullable.add(name);
      rest = ref(name);
    }
    return anyOf(ways.toReversed());
  }

  /** Any one character of a set. A set is translated once, and copied wherever it stands again: that of all letters is hundreds of steps. */
  #characters(set: CodePoints, next: number): number {
    const key = set.join();
    const known = this.#sets.get(key);
    const base = this.#code.length;
    if (!known) {
      const start = this.#sequences(utf8Sequences(set), 0, next, new Map());
      this.#sets.set(key, { next, start, from: base, end: this.#code.length });
      return start;
    }
    const moved = (to: number): number => (to === known.next ? next : to - known.from + base);
    for (let i = known.from; i < known.end; i++) {
      const instruction = this.#code[i];
      if (instruction.op !== "byte") throw new Error("a character is bytes and nothing else");
      this.#push({ op: "byte", cases: instruction.cases.map(({ lo, hi, to }) => ({ lo, hi, to: moved(to) })) });
    }
    return moved(known.start);
  }

  /** Byte sequences from place `at` on, sharing beginnings and equal ends. */
  #sequences(sequences: readonly ByteRange[][], at: number, next: number, shared: Map<string, number>): number {
    const key = sequences
      .map((s) =>
        s
          .slice(at)
          .map(({ lo, hi }) => `${lo}-${hi}`)
          .join(" "),
      )
      .join(",");
    const known = shared.get(key);
    if (known !== undefined) return known;
    const cases: { lo: number; hi: number; to: number }[] = [];
    for (let i = 0; i < sequences.length; ) {
      const { lo, hi } = sequences[i][at];
      let end = i + 1;
      while (end < sequences.length && sequences[end][at].lo === lo && sequences[end][at].hi === hi) end++;
      const last = sequences[i].length === at + 1;
      cases.push({ lo, hi, to: last ? next : this.#sequences(sequences.slice(i, end), at + 1, next, shared) });
      i = end;
    }
    const start = this.#push({ op: "byte", cases });
    shared.set(key, start);
    return start;
  }
}

/** Longest text that is put into a tree: its depth is the engine's. */
const MAX_TEXT = 1024;

/** The alternatives as bytes, where all are texts and there are enough of them to be worth a tree. */
function textsOf(rules: readonly Rule[]): readonly Uint8Array[] | undefined {
  if (rules.length < 3) return undefined;
  const texts: Uint8Array[] = [];
  for (const rule of rules) {
    if (rule.kind !== "text" || rule.text.length > MAX_TEXT) return undefined;
    texts.push(new TextEncoder().encode(rule.text));
  }
  return texts;
}
