import { Automaton, type State } from "../automaton/automaton.ts";
import { compile } from "../automaton/program.ts";
import { containing } from "../regex/containing.ts";
import { parseRegex } from "../regex/parse.ts";
import { grammarOf } from "../rules/rule.ts";
import type { SchemaContext } from "./compile.ts";
import { isPlainNot } from "./conditions.ts";
import { isNumber, isObject, type Json, type JsonType, type SchemaObject, sameJson } from "./schema.ts";

const limit =
  (
    of: (value: Json) => number | bigint | undefined,
    fits: (size: number | bigint, bound: number | bigint) => boolean,
  ) =>
  (value: Json, bound: Json): boolean => {
    const size = of(value);
    return size === undefined || (isNumber(bound) && fits(size, bound));
  };
const ofNumber = (value: Json): number | bigint | undefined => (isNumber(value) ? value : undefined);
const ofText = (value: Json): number | undefined => (typeof value === "string" ? Array.from(value).length : undefined);
const ofList = (value: Json): number | undefined => (Array.isArray(value) ? value.length : undefined);

/** The values that are out of question. */
export const notOf = ({ not }: SchemaObject): readonly Json[] => (isPlainNot(not) ? not.enum : []);

/** Whole values of a kind can't be kept out one by one. */
export function refuseNot(schema: SchemaObject, type: "array" | "object", path: string, context: SchemaContext): void {
  if (notOf(schema).some((value) => isOfType(value, type))) throw context.unsupported(path, "not", `for an ${type}`);
}

/** Keywords by which a single value can be judged without knowing anything else. */
const CHECKS: Readonly<Record<string, (value: Json, bound: Json) => boolean>> = {
  minimum: limit(ofNumber, (size, bound) => size >= bound),
  maximum: limit(ofNumber, (size, bound) => size <= bound),
  exclusiveMinimum: limit(ofNumber, (size, bound) => size > bound),
  exclusiveMaximum: limit(ofNumber, (size, bound) => size < bound),
  minLength: limit(ofText, (size, bound) => size >= bound),
  maxLength: limit(ofText, (size, bound) => size <= bound),
  minItems: limit(ofList, (size, bound) => size >= bound),
  maxItems: limit(ofList, (size, bound) => size <= bound),
  pattern: (value, pattern) => typeof value !== "string" || matchesPattern(value, String(pattern)),
  not: (value, not) => isPlainNot(not) && !not.enum.some((other) => sameJson(other, value)),
};

/** True where a pattern is somewhere in a text. The engine's own expressions may take for ever over what strangers write. */
export function matchesPattern(text: string, pattern: string): boolean {
  const automaton = new Automaton(compile(grammarOf(containing(parseRegex(pattern))), new Set()));
  let state: State | null = automaton.start;
  for (const byte of new TextEncoder().encode(text)) if (state) state = automaton.step(state, byte);
  return state?.accepting ?? false;
}

/** The keyword by which nobody here can judge a single value, if there is one among these. */
export const unjudged = (keywords: readonly string[]): string | undefined =>
  keywords.find((keyword) => !Object.hasOwn(CHECKS, keyword));

/** True for a value that is valid by the keywords that can be judged. */
export function isValid(value: Json, schema: SchemaObject): boolean {
  return Object.entries(schema).every(
    ([keyword, bound]) => bound === undefined || !Object.hasOwn(CHECKS, keyword) || CHECKS[keyword]!(value, bound),
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
