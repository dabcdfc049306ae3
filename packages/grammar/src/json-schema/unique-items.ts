import { alt, EMPTY, type Rule, seq, text } from "../rules/rule.ts";
import type { SchemaContext } from "./compile.ts";
import { isAnnotation } from "./keywords.ts";
import { literal } from "./literals.ts";
import { isObject, type Json, type JsonType, sameJson } from "./schema.ts";
import { space } from "./space.ts";
import { isOfType } from "./values.ts";

/** Values of which a rule is made for every selection: 256 of them. */
const MAX_VALUES = 8;

/** Items that are all different, where it is listed what they may be; undefined where that isn't so, or they are too many. */
export function uniqueItemsRule(
  items: Json,
  { min, max }: { readonly min: number; readonly max: number },
  path: string,
  context: SchemaContext,
): Rule | undefined {
  const values = valuesOf(items, path, context);
  if (!values || values.length > MAX_VALUES) return undefined;
  const all = 2 ** values.length - 1;
  // What may follow the items that have been; from all of them back to none.
  const after: Rule[] = new Array(all + 1);
  for (let used = all; used > 0; used--) {
    const count = values.filter((_, i) => (used >> i) & 1).length;
    const more =
      count < max ? others(values, used).map(([value, i]) => seq(comma, value, after[used | (1 << i)]!)) : [];
    after[used] = context.define(alt(...(count >= min ? [EMPTY] : []), ...more));
  }
  const firsts = max > 0 ? others(values, 0).map(([value, i]) => seq(value, after[1 << i]!, space)) : [];
  return alt(...(min === 0 ? [EMPTY] : []), ...firsts);
}

const comma = seq(text(","), space);

const others = (values: readonly Json[], used: number): [value: Rule, index: number][] =>
  values.flatMap((value, i): [Rule, number][] => ((used >> i) & 1 ? [] : [[literal(value), i]]));

function valuesOf(items: Json, path: string, context: SchemaContext): readonly Json[] | undefined {
  const flat = isObject(items) ? context.flatten(items, path) : items;
  if (!isObject(flat)) return undefined;
  const { anyOf, type, enum: listed, ...others } = flat;
  if (!Object.keys(others).every(isAnnotation) || flat.nullable !== undefined) return undefined;
  const types = type === undefined ? undefined : ([type].flat() as JsonType[]);
  const possible = listed ?? (anyOf === undefined ? types && ofTypes(types) : ofAny(anyOf, path, context));
  if (!Array.isArray(possible) || (listed !== undefined && anyOf !== undefined)) return undefined;
  const values = (possible as readonly Json[]).filter((value) => types?.some((each) => isOfType(value, each)) ?? true);
  return values.filter((value, i) => values.findIndex((other) => sameJson(value, other)) === i);
}

/** All values of types that have few. */
function ofTypes(types: readonly JsonType[]): readonly Json[] | undefined {
  if (!types.every((type) => type === "boolean" || type === "null")) return undefined;
  return types.flatMap((type) => (type === "null" ? [null] : [true, false]));
}

function ofAny(branches: Json, path: string, context: SchemaContext): readonly Json[] | undefined {
  if (!Array.isArray(branches)) return undefined;
  const each = (branches as readonly Json[]).map((branch) => valuesOf(branch, path, context));
  return each.includes(undefined) ? undefined : each.flatMap((values) => values!);
}
