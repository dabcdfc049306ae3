import { GrammarError } from "../error.ts";
import type { Expression } from "../regex/expression.ts";
import type { Lengths } from "../regex/machine.ts";
import { parseRegex } from "../regex/parse.ts";
import { described } from "../regex/texts.ts";
import { NEVER, type Rule } from "../rules/rule.ts";
import { countOf } from "./bounds.ts";
import type { SchemaContext } from "./compile.ts";
import { formatOf } from "./formats.ts";
import { notOf } from "./plain-not.ts";
import { simplified } from "./published-patterns.ts";
import type { Json, SchemaObject } from "./schema.ts";
import { quoted, stringExcept, stringOf } from "./text.ts";
import { isValid } from "./values.ts";

/** Longest text that is kept out a letter inside another. */
const MAX_SPELLED = 256;

/** A string by its length, its pattern or its format, as JSON. */
export function stringRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  const { lengths, pattern, format } = partsOf(schema, path);
  if (pattern || format) return quoted(textRule(schema, path, context));
  const bounded = lengths.min > 0 || lengths.max < Number.POSITIVE_INFINITY;
  const none = excludedBy(schema);
  const short = none.every((text) => text.length <= MAX_SPELLED);
  if (none.length > 0) return bounded || !short ? quoted(textRule(schema, path, context)) : stringExcept(none);
  return lengths.min > lengths.max ? NEVER : stringOf(lengths.min, lengths.max);
}

/** The same string as a text: without quotes, nothing in it escaped. */
export function textRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  const parts = partsOf(schema, path);
  const { lengths, pattern, format } = parts;
  if (lengths.min > lengths.max) return NEVER;
  const none = excludedBy(schema);
  const rule = described({ ...parts, none });
  if (rule) return rule;
  // By the standard a format is a note: beside lengths that would take too much to count in it, those are held to.
  const noted = format && described({ lengths, none });
  if (noted) return noted;
  throw context.unsupported(
    path,
    pattern ? "pattern" : "not",
    pattern ? "its lengths make too many cases; count inside it" : "the texts that are ruled out make too many cases",
  );
}

function partsOf(
  schema: SchemaObject,
  path: string,
): { readonly lengths: Lengths; readonly pattern?: Expression; readonly format?: Expression } {
  const lengths = {
    min: countOf(schema, "minLength", path, 0),
    max: countOf(schema, "maxLength", path, Number.POSITIVE_INFINITY),
  };
  // By the standard a format is a note: beside a pattern that is what it stays.
  if (schema.pattern !== undefined) return { lengths, pattern: patternOf(schema.pattern, path) };
  const format = formatOf(String(schema.format), lengths.max);
  return format === undefined ? { lengths } : { lengths, format };
}

function patternOf(pattern: Json, path: string): Expression {
  if (typeof pattern !== "string")
    throw new GrammarError("syntax", `"pattern" at ${path} of the schema must be a string`);
  return parseRegex(simplified(pattern));
}

/** Strings that would be valid but for being out of question. */
function excludedBy(schema: SchemaObject): readonly string[] {
  const valid = { ...schema, not: undefined };
  return notOf(schema).filter((value): value is string => typeof value === "string" && isValid(value, valid));
}
