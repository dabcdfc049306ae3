import { type CodePoints, charactersOf } from "../rules/code-points.ts";
import { alt, chars, EMPTY, type Rule, repeat, seq } from "../rules/rule.ts";

/** A regular expression, and what a rule can't say: what must hold at a place without reading anything. */
export type Expression =
  | { readonly kind: "chars"; readonly set: CodePoints }
  | { readonly kind: "seq"; readonly of: readonly Expression[] }
  | { readonly kind: "alt"; readonly of: readonly Expression[] }
  | { readonly kind: "repeat"; readonly of: Expression; readonly min: number; readonly max: number }
  | Assertion
  | { readonly kind: "look"; readonly of: Expression; readonly negative: boolean };

/** The text's beginning or end, a place where a word begins or ends, or one where none does. */
export interface Assertion {
  readonly kind: "assert";
  readonly what: "start" | "end" | "boundary" | "inside";
}

/** One after the other; parts that are several themselves are taken apart. */
export function allOf(of: readonly Expression[]): Expression {
  const parts = of.flatMap((part) => (part.kind === "seq" ? part.of : [part]));
  return parts.length === 1 ? parts[0]! : { kind: "seq", of: parts };
}

/** Any one of them. */
export function oneOf(of: readonly Expression[]): Expression {
  const parts = of.flatMap((part) => (part.kind === "alt" ? part.of : [part]));
  return parts.length === 1 ? parts[0]! : { kind: "alt", of: parts };
}

export const times = (of: Expression, min: number, max: number): Expression =>
  min === 1 && max === 1 ? of : { kind: "repeat", of, min, max };

/** A text as it is. */
export const literally = (text: string): Expression =>
  allOf(Array.from(text, (char): Expression => ({ kind: "chars", set: charactersOf(char) })));

/** The rule of an expression in which nothing is asserted; undefined for others. */
export function ruleOf(expression: Expression): Rule | undefined {
  switch (expression.kind) {
    case "chars":
      return chars(expression.set);
    case "seq":
    case "alt": {
      const parts = expression.of.map(ruleOf);
      if (parts.includes(undefined)) return undefined;
      return expression.kind === "seq" ? seq(...(parts as Rule[])) : alt(...(parts as Rule[]));
    }
    case "repeat": {
      const of = ruleOf(expression.of);
      return of && (expression.max === 0 ? EMPTY : repeat(of, expression.min, expression.max));
    }
    case "assert":
    case "look":
      return undefined;
  }
}

/** The expression of a rule that refers to no others. */
export function expressionOf(rule: Rule): Expression {
  switch (rule.kind) {
    case "text":
      return literally(rule.text);
    case "chars":
      return rule;
    case "seq":
      return allOf(rule.of.map(expressionOf));
    case "alt":
      return oneOf(rule.of.map(expressionOf));
    case "repeat":
      return times(expressionOf(rule.of), rule.min, rule.max);
    default:
      throw new Error(`a ${rule.kind} is no regular expression`);
  }
}

/** The same without what its beginning or its end says of the text's, where it begins or ends there anyway. */
export function untied(expression: Expression, what: "start" | "end"): Expression {
  if (expression.kind === "assert") return expression.what === what ? { kind: "seq", of: [] } : expression;
  if (expression.kind === "alt") return oneOf(expression.of.map((part) => untied(part, what)));
  if (expression.kind !== "seq" || expression.of.length === 0) return expression;
  const at = what === "start" ? 0 : expression.of.length - 1;
  const part = expression.of[at]!;
  const rest = expression.of.toSpliced(at, 1);
  const freed = untied(part, what);
  if (freed.kind === "seq" && freed.of.length === 0) return untied({ kind: "seq", of: rest }, what);
  return freed === part ? expression : allOf(expression.of.toSpliced(at, 1, freed));
}
