import type { WeightExpr } from "../weight-expr.ts";

/**
 * An expression as JSON in which equal expressions are equal texts, whatever order their fields were written in. Numbers that
 * JSON can't say are strings: `"NaN"`, `"Infinity"`, `"-0"`.
 */
export function canonicalText(expr: WeightExpr): string {
  return JSON.stringify(sorted(expr));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) ? value : numberText(value);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sorted(field)]));
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
