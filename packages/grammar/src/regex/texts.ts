import { GrammarError } from "../error.ts";
import { ANY } from "../rules/code-points.ts";
import { alt, chars, EMPTY, many, type Rule, repeat, seq } from "../rules/rule.ts";
import { allOf, type Expression, literally, oneOf, ruleOf, times, untied } from "./expression.ts";
import { telling, withLengths } from "./lengths.ts";
import { type Lengths, machineOf } from "./machine.ts";
import { parseRegex } from "./parse.ts";
import type { Effort } from "./reader.ts";

const anything: Expression = times({ kind: "chars", set: ANY }, 0, Number.POSITIVE_INFINITY);

/** The texts that match an expression from their beginning to their end. */
export function whole(expression: Expression): Rule {
  return ruleOf(untied(untied(expression, "start"), "end")) ?? machine(expression);
}

/** The texts in which an expression is somewhere, or at the ends that it is tied to. */
export function containing(expression: Expression, effort?: Effort): Rule {
  const branches = expression.kind === "alt" ? expression.of : [expression];
  const rules = branches.map(containingBranch);
  return rules.includes(undefined) ? machine(somewhere(expression), effort) : alt(...(rules as Rule[]));
}

/** What texts must be, as far as anything is said. */
export interface Described {
  /** What is somewhere in them. */
  readonly pattern?: Expression | undefined;
  /** What they match as a whole. */
  readonly format?: Expression | undefined;
  readonly none?: readonly string[];
  readonly lengths: Lengths;
  readonly effort?: Effort;
}

/** The texts of which all that holds; undefined where counting their characters would take too many states. */
export function described({ pattern, format, none = [], lengths, effort }: Described): Rule | undefined {
  const plain = pattern ? containing(pattern, effort) : format ? whole(format) : many(chars(ANY));
  if (none.length === 0) {
    const counted = withLengths(plain, lengths);
    if (counted) return counted;
  }
  const expression = pattern ? somewhere(pattern) : (format ?? anything);
  const others: Expression = { kind: "look", of: allOf([oneOf(none.map(literally)), END]), negative: true };
  return machineOf(none.length === 0 ? expression : allOf([others, expression]), telling(plain, lengths), effort);
}

/** The texts that match both as a whole; undefined where that would take too many states. */
export const ofBoth = (a: Expression, b: Expression): Rule | undefined =>
  machineOf(allOf([{ kind: "look", of: allOf([a, END]), negative: false }, b]));

const END: Expression = { kind: "assert", what: "end" };

/** A pattern of the texts that an expression is nowhere in. */
export const patternWithout = (source: string): string => `^(?![^]*${grouped(source)})`;

/** A pattern of the texts that two others are both in. */
export const patternOfBoth = (a: string, b: string): string => `^(?=[^]*${grouped(a)})[^]*${grouped(b)}`;

/** One that isn't valid by itself might be as a part of another, and mean something else. */
function grouped(source: string): string {
  parseRegex(source);
  return `(?:${source})`;
}

const somewhere = (expression: Expression): Expression => allOf([anything, expression, anything]);

function machine(expression: Expression, effort?: Effort): Rule {
  const rule = machineOf(expression, undefined, effort);
  if (rule) return rule;
  throw new GrammarError("limit", "what a regular expression asserts makes too many states; make it smaller");
}

function containingBranch(branch: Expression): Rule | undefined {
  const parts = branch.kind === "seq" ? branch.of : [branch];
  const from = parts.findIndex((part) => !isAt(part, "start"));
  const to = parts.findLastIndex((part) => !isAt(part, "end"));
  const rule = ruleOf(allOf(from < 0 ? [] : parts.slice(from, to + 1)));
  if (!rule) return undefined;
  const [tiedStart, tiedEnd] = [from !== 0 && parts.length > 0, to !== parts.length - 1];
  const free = chars(ANY);
  const start = tiedStart ? rule : shortest(rule, "start");
  return seq(
    ...(tiedStart ? [] : [many(free)]),
    tiedEnd ? start : shortest(start, "end"),
    ...(tiedEnd ? [] : [many(free)]),
  );
}

const isAt = (part: Expression, what: "start" | "end"): boolean => part.kind === "assert" && part.what === what;

/** As few rounds as may be at an end beyond which anything may come: what more of them read is read there. */
function shortest(rule: Rule, end: "start" | "end"): Rule {
  switch (rule.kind) {
    case "repeat":
      return rule.min === rule.max ? rule : repeat(rule.of, rule.min, rule.min);
    case "alt":
      return alt(...rule.of.map((part) => shortest(part, end)));
    case "seq": {
      const at = end === "start" ? 0 : rule.of.length - 1;
      const cut = shortest(rule.of[at]!, end);
      if (cut === EMPTY) return shortest(seq(...rule.of.toSpliced(at, 1)), end);
      return cut === rule.of[at] ? rule : seq(...rule.of.toSpliced(at, 1, cut));
    }
    default:
      return rule;
  }
}
