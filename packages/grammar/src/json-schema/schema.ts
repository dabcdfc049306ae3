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
