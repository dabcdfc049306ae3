import type { JsonType } from "./schema.ts";

/** Keywords that say something to people and to tools, and nothing about which values are valid. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "id",
  "$anchor",
  "$comment",
  "$vocabulary",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
  "nullable",
  "strict",
  // OpenAPI's, which generators write beside "oneOf"
  "discriminator",
  "externalDocs",
  "xml",
  // editors' and form builders'
  "enumDescriptions",
  "enumNames",
  "markdownDescription",
]);

/** True for keywords that nothing has to be held to: the known ones, and whatever is marked as somebody's own. */
export const isAnnotation = (keyword: string): boolean => ANNOTATIONS.has(keyword) || keyword.startsWith("x-");

/** Many that write schemas write null where nothing is said. */
export const saysSomething = (keyword: string, value: unknown): boolean => value !== null || keyword === "const";

/** Keywords that hold for values of one type only, and by which a schema without `type` is understood. */
const BY_TYPE: Readonly<Record<string, JsonType>> = {
  properties: "object",
  required: "object",
  additionalProperties: "object",
  patternProperties: "object",
  propertyNames: "object",
  minProperties: "object",
  maxProperties: "object",
  items: "array",
  prefixItems: "array",
  additionalItems: "array",
  minItems: "array",
  maxItems: "array",
  uniqueItems: "array",
  contains: "array",
  minContains: "array",
  maxContains: "array",
  minLength: "string",
  maxLength: "string",
  pattern: "string",
  format: "string",
  minimum: "number",
  maximum: "number",
  exclusiveMinimum: "number",
  exclusiveMaximum: "number",
  multipleOf: "number",
};

/** Keywords about values of any type. */
export const GENERAL: ReadonlySet<string> = new Set([
  "type",
  "enum",
  "const",
  "anyOf",
  "oneOf",
  "allOf",
  "$ref",
  "not",
  "unevaluatedProperties",
  "unevaluatedItems",
]);

/** The type that a keyword is about, if it is about one. */
export const typeOfKeyword = (keyword: string): JsonType | undefined =>
  Object.hasOwn(BY_TYPE, keyword) ? BY_TYPE[keyword] : undefined;
