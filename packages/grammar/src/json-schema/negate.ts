import { isAnnotation, typeOfKeyword } from "./keywords.ts";
import { isNumber, isObject, isSchema, type Json, type JsonType } from "./schema.ts";

const TYPES: readonly JsonType[] = ["null", "boolean", "number", "string", "array", "object"];

/** Deeper than anybody nests a condition; a schema that contains itself would have no end. */
const MAX_DEPTH = 8;

/**
 * A schema of the values that aren't valid by another, or undefined where that can't be written. Each keyword is undone by itself:
 * whatever breaks one of them breaks the whole.
 */
export function negate(schema: Json, resolve: (reference: string) => Json, depth = 0): Json | undefined {
  if (typeof schema === "boolean") return !schema;
  if (!isObject(schema) || depth > MAX_DEPTH) return undefined;
  const ways: Json[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (isAnnotation(keyword) && keyword !== "nullable") continue;
    const way = undone(keyword, value, schema, (inner) => negate(inner, resolve, depth + 1), resolve);
    if (way === undefined) return undefined;
    if (way !== false) ways.push(way);
  }
  if (ways.length === 0) return false;
  return ways.length === 1 ? ways[0] : { anyOf: ways };
}

/** The schema of what one keyword forbids. */
function undone(
  keyword: string,
  value: Json,
  schema: { readonly [key: string]: Json },
  inverse: (schema: Json) => Json | undefined,
  resolve: (reference: string) => Json,
): Json | undefined {
  switch (keyword) {
    case "type": {
      const types = (Array.isArray(value) ? value : [value]) as JsonType[];
      // Of numbers that are no integers nothing is known how to say them.
      if (types.includes("integer") && !types.includes("number")) return undefined;
      const others = TYPES.filter((type) => !types.includes(type));
      return others.length === 0 ? false : { type: others };
    }
    case "enum":
      return Array.isArray(value) ? { not: { enum: value } } : undefined;
    case "const":
      return { not: { enum: [value] } };
    case "not":
      return value;
    case "$ref":
      return typeof value === "string" ? inverse(resolve(value)) : undefined;
    case "allOf":
    case "anyOf": {
      if (!Array.isArray(value)) return undefined;
      const each = value.map(inverse);
      if (each.includes(undefined)) return undefined;
      return { [keyword === "allOf" ? "anyOf" : "allOf"]: each as Json[] };
    }
    case "required": {
      if (!Array.isArray(value)) return undefined;
      const missing = value.map((name) => ({ type: "object", properties: { [String(name)]: false } }));
      return missing.length === 0 ? false : { anyOf: missing };
    }
    case "properties": {
      if (!isObject(value)) return undefined;
      const broken = Object.entries(value).map(([name, inner]) => {
        const way = isSchema(inner) ? inverse(inner) : undefined;
        return way === undefined ? undefined : { type: "object", required: [name], properties: { [name]: way } };
      });
      if (broken.includes(undefined)) return undefined;
      return broken.length === 0 ? false : { anyOf: broken as Json[] };
    }
    default:
      return beyond(keyword, value, schema);
  }
}

/** On the other side of a limit. */
function beyond(keyword: string, value: Json, schema: { readonly [key: string]: Json }): Json | undefined {
  const type = typeOfKeyword(keyword);
  const other = LIMITS[keyword];
  if (type === undefined || other === undefined || !isNumber(value)) return undefined;
  // Before 2019 the exclusive ones were switches of the others.
  if (typeof schema.exclusiveMinimum === "boolean" || typeof schema.exclusiveMaximum === "boolean") return undefined;
  const [opposite, step] = other;
  const limit = step === 0 ? value : Number(value) + step;
  return limit < 0 && step !== 0 ? false : { type, [opposite]: limit };
}

const LIMITS: Readonly<Record<string, readonly [opposite: string, step: number]>> = {
  minimum: ["exclusiveMaximum", 0],
  exclusiveMinimum: ["maximum", 0],
  maximum: ["exclusiveMinimum", 0],
  exclusiveMaximum: ["minimum", 0],
  minLength: ["maxLength", -1],
  maxLength: ["minLength", 1],
  minItems: ["maxItems", -1],
  maxItems: ["minItems", 1],
};
