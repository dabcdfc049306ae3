import { alt, NEVER, type Rule, repeat, seq, text } from "../rules/rule.ts";
import { countOf } from "./bounds.ts";
import type { SchemaContext } from "./compile.ts";
import type { Json, SchemaObject } from "./schema.ts";
import { space } from "./space.ts";

/** Places that the item may be at where the items are counted. */
const MAX_PLACES = 64;

const comma = seq(text(","), space);

/**
 * The same without counts that say nothing: those of no kind of item, and a least number of none. They count for the schema that they
 * stand in, so this is done before others are merged into it.
 */
export function withoutIdleCounts(schema: SchemaObject): SchemaObject {
  const { contains, minContains, maxContains, ...rest } = schema;
  if (contains === undefined) return rest;
  return minContains === 0 && maxContains === undefined ? rest : schema;
}

/** Items of which one at least is of the kind that `contains` says: others, it, and others again, wherever it stands. */
export function containingRule(
  schema: SchemaObject,
  others: Json,
  { min, max }: { readonly min: number; readonly max: number },
  path: string,
  context: SchemaContext,
): Rule {
  if (schema.maxContains !== undefined) throw context.unsupported(path, "maxContains");
  if (countOf(schema, "minContains", path, 1) > 1) throw context.unsupported(path, "minContains", "above 1");
  const places = max === Number.POSITIVE_INFINITY ? Math.max(min, 1) : max;
  if (places > MAX_PLACES) throw context.unsupported(path, "contains", `of more than ${MAX_PLACES} items`);
  const other = context.define(context.rule(others, `${path}/items`));
  const item = context.define(context.rule({ allOf: [others, schema.contains!] }, `${path}/contains`));
  if (item === NEVER) return NEVER;
  const [before, after] = [seq(other, comma), seq(comma, other)];
  const ways = Array.from({ length: places }, (_, at) => {
    // Without a most number, the last of the places is any behind it too.
    const from = repeat(before, at, max === Number.POSITIVE_INFINITY && at === places - 1 ? max : at);
    return seq(from, item, repeat(after, Math.max(0, min - 1 - at), max - 1 - at));
  });
  return seq(alt(...ways), space);
}
