import { GrammarError } from "../error.ts";

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A schema is a boolean or an object of keywords. */
export type Schema = boolean | SchemaObject;
export interface SchemaObject {
  readonly [keyword: string]: Json | undefined;
}

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export function isSchema(value: Json | undefined): value is boolean | { readonly [key: string]: Json } {
  return typeof value === "boolean" || isObject(value);
}

export function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is; an integer is a number. */
export function typeOfValue(value: Json): Exclude<JsonType, "integer"> {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as "boolean" | "number" | "string" | "object");
}

/** Equal as JSON: the order of an object's keys means nothing. */
export function sameJson(a: Json, b: Json): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** Deepest nesting of a schema and of the values in it; deeper ones come from a hostile hand and would use up the stack. */
const MAX_DEPTH = 256;
/** Longest list, and longest name, for the same reason. */
const MAX_LENGTH = 4096;

/** Refuses what is larger than any schema that says something, before anything walks through it. */
export function checkSize(schema: Json): void {
  const stack: { readonly value: Json; readonly depth: number }[] = [{ value: schema, depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { value, depth } = top;
    if (typeof value !== "object" || value === null) {
      if (typeof value === "number" && !Number.isFinite(value))
        throw new GrammarError("syntax", "a number of the schema is too large to be read");
      continue;
    }
    if (depth > MAX_DEPTH) throw new GrammarError("limit", `the schema is nested deeper than ${MAX_DEPTH}`);
    const names = Object.keys(value);
    if (names.length > MAX_LENGTH) throw new GrammarError("limit", `a list of the schema is longer than ${MAX_LENGTH}`);
    if (!Array.isArray(value) && names.some((name) => name.length > MAX_LENGTH))
      throw new GrammarError("limit", `a name in the schema is longer than ${MAX_LENGTH} characters`);
    for (const inner of Object.values(value)) stack.push({ value: inner, depth: depth + 1 });
  }
}
