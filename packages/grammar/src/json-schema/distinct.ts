import { isObject, type Json, type JsonType, type Schema, sameJson, typeOfValue } from "./schema.ts";

/**
 * True where it is plain that no value is valid by two of the schemas.
 *
 * @param flat the schema that a reference stands for; anything else as it is
 */
export function distinct(schemas: readonly Schema[], flat: (schema: Json) => Schema | Json): boolean {
  return schemas.every((a, i) => schemas.slice(i + 1).every((b) => apart(a, b, flat)));
}

function apart(one: Schema | Json, other: Schema | Json, flat: (schema: Json) => Schema | Json): boolean {
  const [a, b] = [flat(one as Json), flat(other as Json)];
  if (a === false || b === false) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const [left, right] = [valuesOf(a), valuesOf(b)];
  if (left && right) return !left.some((x) => right.some((y) => sameJson(x, y)));
  const [types, others] = [typesOf(a), typesOf(b)];
  if (types && others && !types.some((type) => others.includes(type))) return true;
  // Two kinds of object, told apart by a property that both must have, or that one must have and the other can't.
  const objects = types?.every((type) => type === "object") && others?.every((type) => type === "object");
  if (!objects) return false;
  const [mine, theirs] = [requiredOf(a), requiredOf(b)];
  return (
    mine.some((name) => theirs.includes(name) && apart(propertyOf(a, name), propertyOf(b, name), flat)) ||
    mine.some((name) => propertyOf(b, name) === false) ||
    theirs.some((name) => propertyOf(a, name) === false)
  );
}

/** What a property that may be there must be; false where there can't be one. */
function propertyOf(schema: { readonly [key: string]: Json }, name: string): Json {
  const { properties, patternProperties, additionalProperties } = schema;
  if (isObject(properties) && Object.hasOwn(properties, name)) return properties[name]!;
  return additionalProperties !== false || patternProperties !== undefined;
}

function valuesOf(schema: { readonly [key: string]: Json }): readonly Json[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : undefined;
}

/** Types of the values that are valid; an integer is a number. */
function typesOf(schema: { readonly [key: string]: Json }): readonly JsonType[] | undefined {
  if (schema.nullable === true) return undefined;
  const types = schema.type ?? valuesOf(schema)?.map(typeOfValue);
  if (types === undefined) return undefined;
  return ((Array.isArray(types) ? types : [types]) as JsonType[]).map((type) => (type === "integer" ? "number" : type));
}

function requiredOf({ required }: { readonly [key: string]: Json }): readonly string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
}
