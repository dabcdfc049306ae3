import { GrammarError } from "../error.ts";
import { patternOfBoth } from "../regex/texts.ts";
import { isAnnotation } from "./keywords.ts";
import { plainNot, plainNotOf } from "./plain-not.ts";
import { simplified } from "./published-patterns.ts";
import { isNumber, isObject, type Json, type JsonType, type Schema, type SchemaObject, sameJson } from "./schema.ts";

/** A schema that holds where both do. `$ref` and `allOf` must be gone from both. */
export function mergeSchemas(a: Schema, b: Schema): Schema {
  if (a === false || b === false) return false;
  if (a === true) return b;
  if (b === true) return a;
  const merged: Record<string, Json | undefined> = { ...a };
  for (const [keyword, value] of Object.entries(b)) {
    const before = a[keyword];
    if (keyword === "nullable") continue;
    if (before === undefined || value === undefined || isAnnotation(keyword)) merged[keyword] = value ?? before;
    else merged[keyword] = mergeKeyword(keyword, before, value);
  }
  // Null is let in by one side alone only where the other doesn't keep it out.
  if (a.nullable === true || b.nullable === true) merged.nullable = takesNull(a) && takesNull(b);
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    // By the standard what one side says of all other names holds for those that match the patterns of the other, too.
    if (side.patternProperties === undefined || sameJson(side.patternProperties, other.patternProperties ?? null))
      continue;
    if (other.additionalProperties !== undefined && other.additionalProperties !== true)
      throw new GrammarError(
        "unsupported",
        `"patternProperties" beside another schema's "additionalProperties" can't be held to`,
      );
  }
  mergeProperties(a, b, merged);
  mergeItems(a, b, merged);
  return merged as SchemaObject;
}

/** Of `anyOf`s multiplied out: beyond it a schema is no description of anything, and would take the machine with it. */
const MAX_BRANCHES = 256;

function listOf(keyword: string, value: Json): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw new GrammarError("syntax", `"${keyword}" of the schema must be a list`);
}

const least = (x: number | bigint, y: number | bigint): Json => (x < y ? x : y);
const most = (x: number | bigint, y: number | bigint): Json => (x > y ? x : y);

function mergeKeyword(keyword: string, a: Json, b: Json): Json {
  switch (keyword) {
    case "minimum":
    case "exclusiveMinimum":
    case "minLength":
    case "minItems":
    case "minProperties":
      if (isNumber(a) && isNumber(b)) return most(a, b);
      break;
    case "maximum":
    case "exclusiveMaximum":
    case "maxLength":
    case "maxItems":
    case "maxProperties":
      if (isNumber(a) && isNumber(b)) return least(a, b);
      break;
    case "required":
      return [...new Set([...listOf(keyword, a), ...listOf(keyword, b)])];
    case "enum": {
      const right = listOf(keyword, b);
      return listOf(keyword, a).filter((x) => right.some((y) => sameJson(x, y)));
    }
    case "type":
      return sharedTypes(a, b);
    case "anyOf": {
      const [left, right] = [listOf(keyword, a), listOf(keyword, b)];
      if (left.length * right.length > MAX_BRANCHES)
        throw new GrammarError(
          "limit",
          `several "anyOf" that hold at once make more than ${MAX_BRANCHES} combinations`,
        );
      return left.flatMap((x) => right.map((y) => ({ allOf: [x, y] })));
    }
    case "not":
      return bothNot(a, b);
    case "propertyNames":
      return both(a, b);
    case "pattern":
      if (typeof a === "string" && typeof b === "string" && a !== b) return patternOfBoth(simplified(a), simplified(b));
      break;
    // Put together from both sides below.
    case "properties":
    case "additionalProperties":
    case "items":
    case "prefixItems":
      return a;
  }
  if (sameJson(a, b)) return a;
  throw new GrammarError("unsupported", `two different "${keyword}" hold at once; write one that says both`);
}

/** Both come down to what is out of question by now. */
function bothNot(a: Json, b: Json): Json {
  const [left, right] = [plainNotOf(a), plainNotOf(b)];
  if (!left || !right) throw new Error("a negation is written out before it is merged");
  return plainNot({ values: [...left.values, ...right.values], integers: left.integers || right.integers });
}

function sharedTypes(a: Json, b: Json): Json {
  const list = (types: Json): JsonType[] => (Array.isArray(types) ? types : [types]) as JsonType[];
  const holds = (types: JsonType[], type: JsonType): boolean =>
    types.includes(type) || (type === "integer" && types.includes("number"));
  const [left, right] = [list(a), list(b)];
  return [...new Set([...left.filter((type) => holds(right, type)), ...right.filter((type) => holds(left, type))])];
}

const takesNull = ({ nullable, type }: SchemaObject): boolean =>
  nullable === true || type === undefined || type === "null" || (Array.isArray(type) && type.includes("null"));

const both = (x: Json, y: Json): Json =>
  x === true ? y : y === true ? x : x === false || y === false ? false : { allOf: [x, y] };

/** A property that only one side names is bound by the other's `additionalProperties` too. */
function mergeProperties(a: SchemaObject, b: SchemaObject, into: Record<string, Json | undefined>): void {
  if (a.properties === undefined && b.properties === undefined && a.additionalProperties === undefined) return;
  const [left, right] = [a, b].map((side) => ({
    properties: (isObject(side.properties) ? side.properties : {}) as Readonly<Record<string, Json>>,
    rest: side.additionalProperties,
  }));
  // Names are the schema's own, "__proto__" among them.
  const properties: Record<string, Json> = Object.create(null);
  for (const name of new Set([...Object.keys(left.properties), ...Object.keys(right.properties)])) {
    const own = (side: typeof left): Json =>
      Object.hasOwn(side.properties, name) ? side.properties[name] : (side.rest ?? true);
    properties[name] = both(own(left), own(right));
  }
  if (Object.keys(properties).length > 0) into.properties = properties;
  if (left.rest !== undefined && right.rest !== undefined) into.additionalProperties = both(left.rest, right.rest);
}

function mergeItems(a: SchemaObject, b: SchemaObject, into: Record<string, Json | undefined>): void {
  const lists = [a, b].map(({ prefixItems }) => (Array.isArray(prefixItems) ? (prefixItems as Json[]) : []));
  const length = Math.max(lists[0].length, lists[1].length);
  if (length > 0) {
    const at = (side: SchemaObject, list: readonly Json[], i: number): Json => list[i] ?? side.items ?? true;
    into.prefixItems = Array.from({ length }, (_, i) => both(at(a, lists[0], i), at(b, lists[1], i)));
  }
  if (a.items !== undefined && b.items !== undefined) into.items = both(a.items, b.items);
}
