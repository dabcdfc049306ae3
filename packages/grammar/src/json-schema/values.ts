import { Automaton, type State } from "../automaton/automaton.ts";
import { compile } from "../automaton/program.ts";
import { parseRegex } from "../regex/parse.ts";
import type { Effort } from "../regex/reader.ts";
import { containing } from "../regex/texts.ts";
import { grammarOf } from "../rules/rule.ts";
import type { SchemaContext } from "./compile.ts";
import { notOf, plainNotOf } from "./plain-not.ts";
import { simplified } from "./published-patterns.ts";
import { isNumber, isObject, type Json, type JsonType, type SchemaObject, sameJson } from "./schema.ts";

const limit =
  (
    of: (value: Json) => number | bigint | undefined,
    fits: (size: number | bigint, bound: number | bigint, schema: SchemaObject) => boolean,
  ) =>
  (value: Json, bound: Json, schema: SchemaObject): boolean => {
    const size = of(value);
    return size === undefined || (isNumber(bound) && fits(size, bound, schema));
  };
const ofNumber = (value: Json): number | bigint | undefined => (isNumber(value) ? value : undefined);
const ofText = (value: Json): number | undefined => (typeof value === "string" ? Array.from(value).length : undefined);
const ofList = (value: Json): number | undefined => (Array.isArray(value) ? value.length : undefined);

/** Whole values of a kind can't be kept out one by one. */
export function refuseNot(schema: SchemaObject, type: "array" | "object", path: string, context: SchemaContext): void {
  if (notOf(schema).some((value) => isOfType(value, type))) throw context.unsupported(path, "not", `for an ${type}`);
}

const above = limit(ofNumber, (size, bound) => size > bound);
const below = limit(ofNumber, (size, bound) => size < bound);

/** Keywords by which a single value can be judged without knowing anything else. */
const CHECKS: Readonly<
  Record<string, (value: Json, bound: Json, schema: SchemaObject, effort: Effort | undefined) => boolean>
> = {
  // Before 2019 the exclusive ones were switches of the others.
  minimum: limit(
    ofNumber,
    (size, bound, { exclusiveMinimum: open }) => size > bound || (size >= bound && open !== true),
  ),
  maximum: limit(
    ofNumber,
    (size, bound, { exclusiveMaximum: open }) => size < bound || (size <= bound && open !== true),
  ),
  exclusiveMinimum: (value, bound, schema) => typeof bound === "boolean" || above(value, bound, schema),
  exclusiveMaximum: (value, bound, schema) => typeof bound === "boolean" || below(value, bound, schema),
  minLength: limit(ofText, (size, bound) => size >= bound),
  maxLength: limit(ofText, (size, bound) => size <= bound),
  minItems: limit(ofList, (size, bound) => size >= bound),
  maxItems: limit(ofList, (size, bound) => size <= bound),
  pattern: (value, pattern, schema, effort) =>
    typeof value !== "string" || fitsPattern(value, String(pattern), schema, effort),
  // A note beside values that are listed: whoever lists them means them.
  format: () => true,
  not: (value, not) => {
    const out = plainNotOf(not);
    const isOut = out?.values.some((other) => sameJson(other, value)) || (out?.integers && isOfType(value, "integer"));
    return out !== undefined && !isOut;
  },
};

/** The patterns of schemas whose values have been judged: many values are judged by one. */
const judges = new WeakMap<SchemaObject, readonly ((text: string) => boolean)[]>();

function fitsPattern(value: string, pattern: string, schema: SchemaObject, effort: Effort | undefined): boolean {
  const known = judges.get(schema) ?? [simplified(pattern), pattern].map((source) => matcherOf(source, effort));
  judges.set(schema, known);
  return known.some((matches) => matches(value));
}

/**
 * Tells whether a pattern is somewhere in a text. The engine's own expressions may take for ever over what strangers write. The pattern
 * is read once, with the first text.
 */
export function matcherOf(pattern: string, effort?: Effort): (text: string) => boolean {
  let automaton: Automaton | undefined;
  return (text) => {
    automaton ??= new Automaton(compile(grammarOf(containing(parseRegex(pattern), effort)), new Set()));
    let state: State | null = automaton.start;
    for (const byte of new TextEncoder().encode(text)) if (state) state = automaton.step(state, byte);
    return state?.accepting ?? false;
  };
}

/** The keyword by which nobody here can judge a single value, if there is one among these. */
export const unjudged = (keywords: readonly string[]): string | undefined =>
  keywords.find((keyword) => !Object.hasOwn(CHECKS, keyword));

/** True for a value that is valid by the keywords that can be judged. */
export function isValid(value: Json, schema: SchemaObject, effort?: Effort): boolean {
  return Object.entries(schema).every(
    ([keyword, bound]) =>
      bound === undefined || !Object.hasOwn(CHECKS, keyword) || CHECKS[keyword]!(value, bound, schema, effort),
  );
}

export function isOfType(value: Json, type: JsonType): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value) || typeof value === "bigint";
  if (type === "number") return isNumber(value);
  return typeof value === type;
}
