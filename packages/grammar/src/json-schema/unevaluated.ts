import type { GrammarError } from "../error.ts";
import { CONDITIONS } from "./conditions.ts";
import { isObject, type Json, type Schema, type SchemaObject, schemasIn } from "./schema.ts";

/** Keywords about whatever no part of a schema speaks of. */
export const UNEVALUATED: ReadonlySet<string> = new Set(["unevaluatedProperties", "unevaluatedItems"]);

/**
 * A schema whose parts have been put together, closed to what none of them speaks of, as `schema` asks. While there are branches to
 * choose from it waits for them.
 *
 * @param refuse makes the error of a keyword that can't be held to
 */
export function closed(
  merged: Schema,
  schema: SchemaObject,
  root: Schema,
  refuse: (keyword: string, hint: string) => GrammarError,
): Schema {
  const { unevaluatedProperties: properties, unevaluatedItems: items } = schema;
  if (!isObject(merged) || (properties === undefined && items === undefined)) return merged;
  const keyword = properties === undefined ? "unevaluatedItems" : "unevaluatedProperties";
  // Of a condition that doesn't hold, what it speaks of counts for nothing, though the schema of the opposite speaks of it too.
  const conditional = hasConditions(schema as Json) || (refers(schema as Json) && hasConditions(root as Json));
  if (conditional) throw refuse(keyword, "together with conditions");
  if (merged.anyOf !== undefined || merged.oneOf !== undefined) {
    return {
      ...merged,
      ...(properties === undefined ? {} : { unevaluatedProperties: properties }),
      ...(items === undefined ? {} : { unevaluatedItems: items }),
    } as Schema;
  }
  const result: Record<string, Json | undefined> = { ...merged };
  if (properties !== undefined) result.additionalProperties ??= properties;
  if (items !== undefined) {
    if (Array.isArray(merged.items)) throw refuse("unevaluatedItems", `beside a list of "items"; "prefixItems" can`);
    result.items ??= items;
  }
  return result as SchemaObject;
}

/**
 * A part of a schema that waits for its branches, with the waiting in each of them: what stands beside the part in the whole is none
 * of what it speaks of.
 */
export function closedByBranch(part: Schema, refuse: (keyword: string, hint: string) => GrammarError): Schema {
  if (!isObject(part)) return part;
  const { unevaluatedProperties: properties, unevaluatedItems: items, anyOf, ...own } = part;
  if (properties === undefined && items === undefined) return part;
  // Which of them hold alone may change with what they are closed to.
  if (!Array.isArray(anyOf) || own.oneOf !== undefined)
    throw refuse(
      properties === undefined ? "unevaluatedItems" : "unevaluatedProperties",
      `beside "oneOf" inside another`,
    );
  const closing = {
    ...(properties === undefined ? {} : { unevaluatedProperties: properties }),
    ...(items === undefined ? {} : { unevaluatedItems: items }),
  };
  return { anyOf: (anyOf as Json[]).map((branch): Json => ({ ...closing, allOf: [own, branch] })) };
}

/** True where a condition stands anywhere in a schema. */
const hasConditions = (schema: Json): boolean => someSchema(schema, (keyword) => CONDITIONS.has(keyword));

const refers = (schema: Json): boolean => someSchema(schema, (keyword) => keyword === "$ref");

function someSchema(schema: Json, has: (keyword: string) => boolean): boolean {
  for (const inner of schemasIn(schema)) if (Object.keys(inner).some(has)) return true;
  return false;
}
