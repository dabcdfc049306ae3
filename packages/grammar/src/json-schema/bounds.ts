import { GrammarError } from "../error.ts";
import type { SchemaContext } from "./compile.ts";
import type { Bound } from "./numbers.ts";
import type { SchemaObject } from "./schema.ts";

/** The limits of a number, in both generations of `exclusiveMinimum`. */
export function boundsOf(
  schema: SchemaObject,
  path: string,
  context: SchemaContext,
): { lower: Bound | undefined; upper: Bound | undefined; whole: boolean } {
  const { multipleOf } = schema;
  if (multipleOf !== undefined && multipleOf !== 1) throw context.unsupported(path, "multipleOf", "only 1 can be");
  return {
    lower: bound(schema, "minimum", "exclusiveMinimum", path, (a, b) => a > b),
    upper: bound(schema, "maximum", "exclusiveMaximum", path, (a, b) => a < b),
    whole: multipleOf === 1,
  };
}

function bound(
  schema: SchemaObject,
  closed: string,
  open: string,
  path: string,
  tighter: (a: number, b: number) => boolean,
): Bound | undefined {
  const [limit, exclusive] = [numeric(schema, closed, path), schema[open]];
  if (typeof exclusive === "boolean") return limit === undefined ? undefined : { value: limit, open: exclusive };
  const edge = numeric(schema, open, path);
  if (edge === undefined) return limit === undefined ? undefined : { value: limit, open: false };
  return limit !== undefined && tighter(limit, edge) ? { value: limit, open: false } : { value: edge, open: true };
}

function numeric(schema: SchemaObject, keyword: string, path: string): number | undefined {
  const value = schema[keyword];
  if (value === undefined || typeof value === "boolean") return undefined;
  if (typeof value !== "number")
    throw new GrammarError("syntax", `"${keyword}" at ${path} of the schema must be a number`);
  return value;
}

/** A count that a keyword gives. */
export function countOf(schema: SchemaObject, keyword: string, path: string, otherwise: number): number {
  const value = schema[keyword];
  if (value === undefined) return otherwise;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw new GrammarError("syntax", `"${keyword}" at ${path} of the schema must be a whole number from 0`);
  }
  return value;
}
