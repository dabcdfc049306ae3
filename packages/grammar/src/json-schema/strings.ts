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
  const none = excludedBy(schema, context);
  const short = none.every((text) => text.length <= MAX_SPELLED);
  if (none.length > 0) return bounded || !short ? quoted(textRule(schema, path, context)) : stringExcept(none);
  return lengths.min > lengths.max ? NEVER : stringOf(lengths.min, lengths.max);
}

/** The same string as a text: without quotes, nothing in it escaped. */
export function textRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  const parts = partsOf(schema, path);
  const { lengths, pattern, format } = parts;
  if (lengths.min > lengths.max) return NEVER;
  const none = excludedBy(schema, context);
  const rule =
    described({ ...parts, none, effort: context.effort }) ?? (format && shorter(format, lengths, none, context));
  if (rule) return rule;
  const tooMany = "its lengths make too many cases";
  if (pattern) throw context.unsupported(path, "pattern", `${tooMany}; count inside it`);
  if (format) throw context.unsupported(path, "format", tooMany);
  throw context.unsupported(path, "not", "the texts that are ruled out make too many cases");
}

/** Longest text of a format of which nothing shorter is known: each character takes some states. */
const MAX_SHORTER = 2048;

/** Texts of a format that are shorter than they might be, where counting to the longest would take too much. */
function shorter(
  format: Expression,
  { min, max }: Lengths,
  none: readonly string[],
  { effort }: SchemaContext,
): Rule | undefined {
  if (max === Number.POSITIVE_INFINITY) return undefined;
  for (let most = Math.min(Math.floor(max / 2), MAX_SHORTER); most >= Math.max(min, 1); most = Math.floor(most / 2)) {
    const rule = described({ format, lengths: { min, max: most }, none, effort });
    if (rule) return rule === NEVER ? undefined : rule;
  }
  return undefined;
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
function excludedBy(schema: SchemaObject, { effort }: SchemaContext): readonly string[] {
  const valid = { ...schema, not: undefined };
  return notOf(schema).filter((value): value is string => typeof value === "string" && isValid(value, valid, effort));
}
