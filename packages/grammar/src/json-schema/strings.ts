import { GrammarError } from "../error.ts";
import { containing } from "../regex/containing.ts";
import { parseRegex } from "../regex/parse.ts";
import { ANY } from "../rules/code-points.ts";
import { chars, NEVER, type Rule, repeat } from "../rules/rule.ts";
import { countOf } from "./bounds.ts";
import type { SchemaContext } from "./compile.ts";
import { FORMATS } from "./formats.ts";
import type { SchemaObject } from "./schema.ts";
import { quoted, stringExcept, stringOf } from "./text.ts";
import { isValid, notOf } from "./values.ts";

/** A string by its length, its pattern or its format, as JSON. */
export function stringRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  const { min, max, described } = lengthsOf(schema, path);
  if (min > max) return NEVER;
  const not = notOf(schema).filter(
    (value) => typeof value === "string" && isValid(value, { ...schema, not: undefined }),
  );
  if (not.length > 0) {
    if (described || min > 0 || max < Number.POSITIVE_INFINITY)
      throw context.unsupported(path, "not", "for strings that are described otherwise");
    return stringExcept(not as readonly string[]);
  }
  return described ? quoted(textRule(schema, path, context)) : stringOf(min, max);
}

/** The same string as a text: without quotes, nothing in it escaped. */
export function textRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  const { min, max, format } = lengthsOf(schema, path);
  if (min > max) return NEVER;
  const bounded = min > 0 || max < Number.POSITIVE_INFINITY;
  if (schema.pattern === undefined) {
    if (format === undefined) return repeat(chars(ANY), min, max);
    if (bounded) throw context.unsupported(path, "format", `together with "minLength" or "maxLength"`);
    return parseRegex(`^(?:${format})$`).rule;
  }
  if (typeof schema.pattern !== "string")
    throw new GrammarError("syntax", `"pattern" at ${path} of the schema must be a string`);
  if (format !== undefined) throw context.unsupported(path, "pattern", `together with "format"`);
  const pattern = parseRegex(schema.pattern);
  if (!bounded) return containing(pattern);
  const { rule, anchoredStart, anchoredEnd } = pattern;
  const narrowed = anchoredStart && anchoredEnd ? withLength(rule, min, max) : undefined;
  if (!narrowed) {
    throw context.unsupported(
      path,
      "pattern",
      `together with "minLength" or "maxLength"; count inside the pattern instead`,
    );
  }
  return narrowed;
}

/** How long a string is, the expression of its format, and whether more than its length is said. */
function lengthsOf(
  schema: SchemaObject,
  path: string,
): { min: number; max: number; format?: string; described: boolean } {
  const min = countOf(schema, "minLength", path, 0);
  const max = countOf(schema, "maxLength", path, Number.POSITIVE_INFINITY);
  const name = String(schema.format);
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  const described = schema.pattern !== undefined || format !== undefined;
  return { min, max, described, ...(format === undefined ? {} : { format }) };
}

/** A pattern that is one class, repeated, can take the length's limits as its own. */
function withLength(rule: Rule, min: number, max: number): Rule | undefined {
  const [of, low, high] = rule.kind === "repeat" ? [rule.of, rule.min, rule.max] : [rule, 1, 1];
  if (of.kind !== "chars") return undefined;
  const [least, most] = [Math.max(low, min), Math.min(high, max)];
  return least > most ? NEVER : repeat(of, least, most);
}
