import { GrammarError } from "../error.ts";
import { containing } from "../regex/containing.ts";
import { parseRegex } from "../regex/parse.ts";
import { ANY } from "../rules/code-points.ts";
import { chars, NEVER, type Rule, repeat } from "../rules/rule.ts";
import { countOf } from "./bounds.ts";
import type { SchemaContext } from "./compile.ts";
import { FORMATS } from "./formats.ts";
import { WITHOUT_LOOKING } from "./published-patterns.ts";
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
  if (schema.pattern === undefined) return format ?? repeat(chars(ANY), min, max);
  if (typeof schema.pattern !== "string")
    throw new GrammarError("syntax", `"pattern" at ${path} of the schema must be a string`);
  const plain = Object.hasOwn(WITHOUT_LOOKING, schema.pattern) ? WITHOUT_LOOKING[schema.pattern] : schema.pattern;
  const pattern = parseRegex(plain);
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

/**
 * How long a string is, the rule of its format, and whether more than its length is said. By the standard a format is a note: beside a
 * pattern, or lengths that its texts may not have, those are held to and it is left at that.
 */
function lengthsOf(
  schema: SchemaObject,
  path: string,
): { min: number; max: number; format?: Rule; described: boolean } {
  const min = countOf(schema, "minLength", path, 0);
  const max = countOf(schema, "maxLength", path, Number.POSITIVE_INFINITY);
  if (schema.pattern !== undefined) return { min, max, described: true };
  const name = String(schema.format);
  const format = Object.hasOwn(FORMATS, name) ? parseRegex(`^(?:${FORMATS[name]})$`).rule : undefined;
  if (format === undefined) return { min, max, described: false };
  const [shortest, longest] = extent(format);
  return min <= shortest && longest <= max ? { min, max, format, described: true } : { min, max, described: false };
}

/** Fewest and most characters of an expression's texts. */
function extent(rule: Rule): readonly [shortest: number, longest: number] {
  switch (rule.kind) {
    case "text":
      return [rule.text.length, rule.text.length];
    case "chars":
      return [1, 1];
    case "seq":
      return rule.of.map(extent).reduce(([a, b], [low, high]) => [a + low, b + high], [0, 0]);
    case "alt": {
      const parts = rule.of.map(extent);
      return [Math.min(...parts.map(([low]) => low)), Math.max(...parts.map(([, high]) => high))];
    }
    case "repeat": {
      const [low, high] = extent(rule.of);
      return [low * rule.min, high * rule.max];
    }
    case "marker":
    case "ref":
      throw new Error("a format is a regular expression: it refers to no rules, and no tokens");
  }
}

/** A pattern that is one class, repeated, can take the length's limits as its own. */
function withLength(rule: Rule, min: number, max: number): Rule | undefined {
  const [of, low, high] = rule.kind === "repeat" ? [rule.of, rule.min, rule.max] : [rule, 1, 1];
  if (of.kind !== "chars") return undefined;
  const [least, most] = [Math.max(low, min), Math.min(high, max)];
  return least > most ? NEVER : repeat(of, least, most);
}
