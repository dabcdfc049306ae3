import { GrammarError } from "../error.ts";
import { NEVER, type Rule } from "../rules/rule.ts";
import type { SchemaContext } from "./compile.ts";
import { isAnnotation } from "./keywords.ts";
import { isObject, isSchema, type Json, type SchemaObject, sameJson } from "./schema.ts";
import { textRule } from "./strings.ts";
import { quoted } from "./text.ts";
import { isValid, matcherOf } from "./values.ts";

/** What the names of an object's properties may be. */
export interface Keys {
  /** Nothing is said of them. */
  readonly any: boolean;
  /** The names that there may be, where they are listed. */
  readonly only?: readonly string[];
  /** True for a name that may be. */
  fits(name: string): boolean;
  /** Any name that may be, as it is written. */
  rule(): Rule;
  /** Patterns of names, and what holds for the values under those that match. */
  readonly patterns: readonly Patterned[];
}

interface Patterned {
  readonly pattern: string;
  readonly value: Json;
  matches(name: string): boolean;
}

const TEXT_KEYWORDS: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "minLength",
  "maxLength",
  "pattern",
  "format",
  "not",
]);

export function keysOf(schema: SchemaObject, path: string, context: SchemaContext): Keys {
  const patterns = patternsOf(schema, path, context);
  const { propertyNames = true } = schema;
  if (!isSchema(propertyNames))
    throw new GrammarError("syntax", `"propertyNames" at ${path} of the schema must be an object or a boolean`);
  const flat = isObject(propertyNames) ? context.flatten(propertyNames, path) : propertyNames;
  const none = { any: false, only: [], fits: () => false, rule: () => NEVER, patterns };
  if (flat === false) return none;
  const own = isObject(flat) ? flat : {};
  const other = Object.keys(own).find((keyword) => !TEXT_KEYWORDS.has(keyword) && !isAnnotation(keyword));
  if (other) throw context.unsupported(path, "propertyNames", `with "${other}"`);
  const types = own.type === undefined ? ["string"] : [own.type].flat();
  if (!types.includes("string")) return none;
  const listed = Array.isArray(own.enum) ? own.enum.filter((name) => typeof name === "string") : undefined;
  const fits = (name: string): boolean =>
    isValid(name, own, context.effort) && (listed === undefined || listed.includes(name));
  const described = Object.keys(own).some((keyword) => keyword !== "type" && !isAnnotation(keyword));
  if (patterns.length > 0 && described) throw context.unsupported(path, "patternProperties", `beside "propertyNames"`);
  return {
    any: !described,
    ...(listed ? { only: listed.filter(fits) } : {}),
    fits,
    rule: () => quoted(textRule(own, path, context)),
    patterns,
  };
}

function patternsOf(schema: SchemaObject, path: string, context: SchemaContext): Patterned[] {
  const { patternProperties = {} } = schema;
  if (!isObject(patternProperties))
    throw new GrammarError("syntax", `"patternProperties" at ${path} of the schema must be an object`);
  const patterns = Object.entries(patternProperties);
  for (const [i, [pattern, value]] of patterns.entries()) {
    for (const [other, against] of patterns.slice(i + 1)) {
      // A name that matches both must hold to both: what matches both can't be told apart in general.
      if (!sameJson(value, against) && !beginApart(pattern, other))
        throw context.unsupported(path, "patternProperties", `of which several may match a name`);
    }
  }
  return patterns.map(([pattern, value]) => ({ pattern, value, matches: matcherOf(pattern, context.effort) }));
}

/** True where the patterns are of texts that begin with different letters. */
function beginApart(a: string, b: string): boolean {
  const [left, right] = [a, b].map((pattern) => /^\^([\w-]*)(?![\w?*{|+-])/.exec(pattern)?.[1] ?? "");
  const length = Math.min(left!.length, right!.length);
  return length > 0 && !/\|/.test(a + b) && left!.slice(0, length) !== right!.slice(0, length);
}
