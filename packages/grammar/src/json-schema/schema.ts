import { GrammarError } from "../error.ts";

/** A JSON value. A whole number that a double can't be trusted to hold is a bigint where the schema's own text has been read. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

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
  if (typeof value === "bigint") return "number";
  return Array.isArray(value) ? "array" : (typeof value as "boolean" | "number" | "string" | "object");
}

/** A number of a schema; what `<` says between a double and a bigint is exact. */
export const isNumber = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

/** True for a number beyond what doubles hold each integer of: another one may have stood in the text. */
export const isRounded = (value: unknown): value is number =>
  typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;

/** Reads a schema's text: whole numbers that a double would round are kept to the digit, as bigints. */
export function readSchema(source: string): unknown {
  const exact = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    isRounded(value) && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context!.source!) : value;
  try {
    return JSON.parse(source, exact as (key: string, value: unknown) => unknown);
  } catch (cause) {
    throw new GrammarError("syntax", "the JSON schema is not valid JSON", { cause });
  }
}

/** Equal as JSON: the order of an object's keys means nothing. */
export function sameJson(a: Json, b: Json): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "bigint" || isRounded(value))
    return String(Number.isFinite(Number(value)) ? BigInt(value) : value);
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

/** Keywords whose own keys are names, of properties or of schemas. */
const NAMED: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
  "dependencies",
]);

/** Keywords with values in them, which say nothing even where they look like schemas. */
const VALUES: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "example"]);

/** A schema and all those inside it; what only looks like one, as a value or as a list of names, isn't among them. */
export function* schemasIn(root: Json): Generator<{ readonly [keyword: string]: Json }> {
  const stack: { readonly value: Json; readonly named: boolean }[] = [{ value: root, named: false }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { value, named } = top;
    if (Array.isArray(value)) for (const each of value) stack.push({ value: each, named: false });
    if (!isObject(value)) continue;
    if (!named) yield value;
    for (const [keyword, inner] of Object.entries(value)) {
      if (named || !VALUES.has(keyword)) stack.push({ value: inner, named: !named && NAMED.has(keyword) });
    }
  }
}
