import { GrammarError } from "../error.ts";
import { alt, EMPTY, NEVER, type Rule, repeat, seq, text } from "../rules/rule.ts";
import { countOf } from "./bounds.ts";
import type { SchemaContext } from "./compile.ts";
import { containingRule } from "./contains.ts";
import type { Json, SchemaObject } from "./schema.ts";
import { space } from "./space.ts";
import { uniqueItemsRule } from "./unique-items.ts";
import { refuseNot } from "./values.ts";

/** An array: the first items one by one, the others alike. */
export function arrayRule(schema: SchemaObject, path: string, context: SchemaContext): Rule {
  refuseNot(schema, "array", path, context);
  // Before 2020 a list of schemas stood in `items`, and the others' in `additionalItems`.
  const older = Array.isArray(schema.items);
  const prefix = older ? (schema.items as readonly Json[]) : (schema.prefixItems ?? []);
  if (!Array.isArray(prefix)) throw new GrammarError("syntax", `"prefixItems" at ${path} of the schema must be a list`);
  const others = (older ? schema.additionalItems : schema.items) ?? true;
  const min = countOf(schema, "minItems", path, 0);
  const max = countOf(schema, "maxItems", path, Number.POSITIVE_INFINITY);
  if (min > max) return NEVER;
  if (schema.contains !== undefined) {
    if (prefix.length > 0 || schema.uniqueItems) throw context.unsupported(path, "contains", "beside such items");
    return seq(text("["), space, containingRule(schema, others, { min, max }, path, context), text("]"));
  }
  // One alone is like no other.
  if (schema.uniqueItems && max > 1) {
    const items = prefix.length > 0 ? undefined : uniqueItemsRule(others, { min, max }, `${path}/items`, context);
    if (!items) throw context.unsupported(path, "uniqueItems", "where items aren't a short list of values");
    return seq(text("["), space, items, text("]"));
  }
  const first = prefix.slice(0, max).map((item, i) => context.rule(item, `${path}/prefixItems/${i}`));
  const rest = max > first.length ? context.rule(others, `${path}/items`) : NEVER;
  return seq(text("["), space, itemsRule(first, rest, min, max), text("]"));
}

function itemsRule(first: readonly Rule[], rest: Rule, min: number, max: number): Rule {
  const comma = seq(text(","), space);
  const more = (from: number): Rule => repeat(seq(comma, rest), Math.max(0, min - from), max - from);
  if (first.length === 0) {
    if (max === 0) return EMPTY;
    const some = seq(rest, more(1), space);
    return min === 0 ? alt(EMPTY, some) : some;
  }
  // From the last one back: an array may end after any item from `min` on.
  let tail = more(first.length);
  for (let i = first.length - 1; i > 0; i--) {
    const next = seq(comma, first[i], tail);
    tail = min <= i ? alt(EMPTY, next) : next;
  }
  const all = seq(first[0], tail, space);
  return min === 0 ? alt(EMPTY, all) : all;
}
