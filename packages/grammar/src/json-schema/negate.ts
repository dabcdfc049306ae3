import { patternWithout } from "../regex/texts.ts";
import { isAnnotation, saysSomething, typeOfKeyword } from "./keywords.ts";
import { plainNot } from "./plain-not.ts";
import { isNumber, isObject, isSchema, type Json, type JsonType } from "./schema.ts";

const TYPES: readonly JsonType[] = ["null", "boolean", "number", "string", "array", "object"];

/** Deeper than anybody nests a condition; a schema that contains itself would have no end. */
const MAX_DEPTH = 8;

/** What a negation needs to know of the schema around it, and tells it. */
export interface Surroundings {
  resolve(reference: string): Json;
  /** Values that aren't valid, but can't be described, have been left out. */
  leftOut(): void;
}

/**
 * A schema of values that aren't valid by another: of all of them where that can be written, and undefined where nothing can. Each
 * keyword is undone by itself: whatever breaks one of them breaks the whole.
 */
export function negate(schema: Json, surroundings: Surroundings, depth = 0): Json | undefined {
  if (typeof schema === "boolean") return !schema;
  if (!isObject(schema) || depth > MAX_DEPTH) return undefined;
  // With it, null is valid whatever "type" says.
  if (schema.nullable === true) return undefined;
  // Before 2019 nothing beside a reference counted: what breaks the reference breaks both readings.
  const entries = Object.entries(typeof schema.$ref === "string" ? { $ref: schema.$ref } : schema);
  return anyOf(
    entries
      .filter(([keyword, value]) => !isAnnotation(keyword) && saysSomething(keyword, value))
      .map(([keyword, value]) =>
        undone(keyword, value!, schema, (inner) => negate(inner, surroundings, depth + 1), surroundings),
      ),
    surroundings,
  );
}

/** What is so by any of these ways; those that can't be described are left out while there are others. */
function anyOf(ways: readonly (Json | undefined)[], { leftOut }: Surroundings): Json | undefined {
  const known = ways.filter((way) => way !== undefined && way !== false);
  if (ways.includes(undefined)) {
    if (known.length === 0) return undefined;
    leftOut();
  }
  if (known.length === 0) return false;
  return known.length === 1 ? known[0] : { anyOf: known as Json[] };
}

/** The schema of what one keyword forbids. */
function undone(
  keyword: string,
  value: Json,
  schema: { readonly [key: string]: Json },
  inverse: (schema: Json) => Json | undefined,
  surroundings: Surroundings,
): Json | undefined {
  switch (keyword) {
    case "type": {
      const types = (Array.isArray(value) ? value : [value]) as JsonType[];
      if (!types.every((type) => type === "integer" || TYPES.includes(type))) return undefined;
      const others = TYPES.filter((type) => !types.includes(type));
      if (!types.includes("integer") || types.includes("number")) return others.length > 0 && { type: others };
      return {
        anyOf: [
          { type: others.filter((type) => type !== "number") },
          { type: "number", not: plainNot({ values: [], integers: true }) },
        ],
      };
    }
    case "enum":
      return Array.isArray(value) ? { not: { enum: value } } : undefined;
    case "const":
      return { not: { enum: [value] } };
    case "not":
      return isSchema(value) ? value : undefined;
    case "$ref":
      return typeof value === "string" ? inverse(surroundings.resolve(value)) : undefined;
    case "allOf":
      return Array.isArray(value) ? anyOf(value.map(inverse), surroundings) : undefined;
    case "anyOf": {
      const each = Array.isArray(value) ? value.map(inverse) : [undefined];
      return each.includes(undefined) ? undefined : { allOf: each as Json[] };
    }
    case "pattern":
      return typeof value === "string" ? { type: "string", pattern: patternWithout(value) } : undefined;
    case "items": {
      const other = isSchema(value) && schema.prefixItems === undefined ? inverse(value) : undefined;
      // Lists in which none is valid are some of those in which not all are.
      if (other !== undefined && other !== false) surroundings.leftOut();
      return other && { type: "array", minItems: 1, items: other };
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
        return way && { type: "object", required: [name], properties: { [name]: way } };
      });
      return anyOf(broken, surroundings);
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
