import type { Json } from "./target.ts";

/** JSON with sorted keys and no white space: equal values have equal text, whatever made them. */
export function canonicalJson(value: Json | undefined): string {
  if (value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value as Readonly<Record<string, Json | undefined>>)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(",")}}`;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return JSON.stringify(String(value)); // attributes may be infinite; JSON can't say so
    return Object.is(value, -0) ? '"-0"' : JSON.stringify(value);
  }
  return JSON.stringify(value);
}
