import { GrammarError } from "../error.ts";
import { negate, type Surroundings } from "./negate.ts";
import { isPlainNot } from "./plain-not.ts";
import { isObject, type Json, type SchemaObject } from "./schema.ts";

/** What conditions are made of; the schemas that say the same without them stand in their place. */
export const CONDITIONS: ReadonlySet<string> = new Set([
  "if",
  "then",
  "else",
  "not",
  "dependentRequired",
  "dependentSchemas",
  "dependencies",
]);

/**
 * The conditions of a schema as schemas of choices that must hold beside it: whatever is valid by one of a choice's branches is
 * valid by the condition.
 *
 * @param refuse makes the error of a keyword that can't be said so
 */
export function conditionsOf(
  schema: SchemaObject,
  path: string,
  surroundings: Surroundings,
  refuse: (keyword: string, hint: string) => GrammarError,
): Json[] {
  return [
    ...negation(schema, surroundings, refuse),
    ...branches(schema, surroundings, refuse),
    ...dependencies(schema, path),
  ];
}

type Refuse = (keyword: string, hint: string) => GrammarError;

function negation({ not }: SchemaObject, surroundings: Surroundings, refuse: Refuse): Json[] {
  if (not === undefined) return [];
  if (isPlainNot(not)) return [{ not }];
  const other = negate(not, surroundings);
  if (other === undefined) throw refuse("not", "say what is valid instead");
  return [other];
}

function branches(schema: SchemaObject, surroundings: Surroundings, refuse: Refuse): Json[] {
  const { if: condition, then = true, else: otherwise = true } = schema;
  // Without the condition, or with nothing that depends on it, the others say nothing.
  if (condition === undefined || (then === true && otherwise === true)) return [];
  const other = negate(condition, surroundings);
  if (other === undefined) throw refuse("if", `what isn't so can't be said; write the cases as "anyOf"`);
  return [{ anyOf: [{ allOf: [condition, then] }, { allOf: [other, otherwise] }] }];
}

function dependencies(schema: SchemaObject, path: string): Json[] {
  const { dependentRequired = {}, dependentSchemas = {}, dependencies: either = {} } = schema;
  for (const [keyword, value] of Object.entries({ dependentRequired, dependentSchemas, dependencies: either })) {
    if (!isObject(value)) throw new GrammarError("syntax", `"${keyword}" at ${path} of the schema must be an object`);
  }
  const entries = [dependentRequired, dependentSchemas, either].flatMap((of) => Object.entries(of as object));
  // An object about which nothing else is said stays open, though a property is named here.
  const open = schema.properties === undefined && schema.additionalProperties === undefined;
  const own: { readonly [key: string]: Json } = open ? { additionalProperties: true } : {};
  return (entries as [string, Json][]).map(([name, needed]): Json => {
    const then: Json = Array.isArray(needed) ? { ...own, required: needed } : needed;
    return {
      anyOf: [
        { type: "object", ...own, properties: { [name]: false } },
        { allOf: [{ type: "object", ...own, required: [name] }, then] },
      ],
    };
  });
}
