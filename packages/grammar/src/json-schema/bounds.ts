import { GrammarError } from "../error.ts";
import type { Bound } from "./numbers.ts";
import { notOf } from "./plain-not.ts";
import { isNumber, type Json, type SchemaObject } from "./schema.ts";

/** Between two limits, where there are any. */
interface Gap {
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
}

/** The limits of a number, in both generations of `exclusiveMinimum`; what is out of question divides it. */
export function boundsOf(schema: SchemaObject, path: string): readonly Gap[] {
  const lower = bound(schema, "minimum", "exclusiveMinimum", path, (a, b) => a > b);
  const upper = bound(schema, "maximum", "exclusiveMaximum", path, (a, b) => a < b);
  return gapsOf({ lower, upper }, notOf(schema));
}

function gapsOf({ lower, upper }: Gap, not: readonly Json[]): Gap[] {
  const outside = not.filter(
    (value): value is number | bigint =>
      isNumber(value) && (!lower || value >= lower.value) && (!upper || value <= upper.value),
  );
  const edges = [...new Set(outside)]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((value): Bound => ({ value, open: true }));
  return [lower, ...edges].map((edge, i) => ({ lower: edge, upper: edges[i] ?? upper }));
}

function bound(
  schema: SchemaObject,
  closed: string,
  open: string,
  path: string,
  tighter: (a: number | bigint, b: number | bigint) => boolean,
): Bound | undefined {
  const [limit, exclusive] = [numeric(schema, closed, path), schema[open]];
  if (typeof exclusive === "boolean") return limit === undefined ? undefined : { value: limit, open: exclusive };
  const edge = numeric(schema, open, path);
  if (edge === undefined) return limit === undefined ? undefined : { value: limit, open: false };
  return limit !== undefined && tighter(limit, edge) ? { value: limit, open: false } : { value: edge, open: true };
}

/** A number that a keyword gives. */
export function numeric(schema: SchemaObject, keyword: string, path: string): number | bigint | undefined {
  const value = schema[keyword];
  if (value === undefined || typeof value === "boolean") return undefined;
  if (!isNumber(value)) throw new GrammarError("syntax", `"${keyword}" at ${path} of the schema must be a number`);
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
