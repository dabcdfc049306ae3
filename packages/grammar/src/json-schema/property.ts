import { GrammarError } from "../error.ts";
import { avoid } from "../rules/avoid.ts";
import { alt, type Grammar, NEVER, type Rule, text } from "../rules/rule.ts";
import { without } from "../rules/without.ts";
import { SchemaCompiler } from "./compile.ts";
import { isAnnotation, typeOfKeyword } from "./keywords.ts";
import { References } from "./references.ts";
import { isObject, isSchema, type Json, type JsonType, type Schema, type SchemaObject, typeOfValue } from "./schema.ts";
import { textRule } from "./strings.ts";
import { isValid, unjudged } from "./values.ts";

/**
 * A property of a schema of objects as it stands before a tag: a text as it is where only strings are valid, anything else as
 * JSON. Where a text is described any further, it has no character in it that begins the tag.
 */
export function compileProperty(schema: unknown, name: string, tag: string): Grammar {
  if (!isSchema(schema as Json)) throw new GrammarError("syntax", "a JSON schema is an object or a boolean");
  const compiler = new SchemaCompiler(schema as Schema);
  const path = `#/properties/${name}`;
  const property = propertyOf(schema, name);
  const first = Array.from(tag)[0]!;
  if (isOnlyText(propertyTypes(schema, name))) {
    const rule = bare(compiler, property as SchemaObject, path, tag);
    return rule === undefined ? without(tag) : compiler.grammar(rule);
  }
  // JSON may spell any character by its number.
  const { root, rules } = compiler.grammar(compiler.rule(property, path));
  const spelling = `\\u${first.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return { root, rules: new Map(Array.from(rules, ([id, rule]) => [id, avoid(rule, first, spelling)])) };
}

/** The texts that are valid; undefined where that is all of them. */
function bare(compiler: SchemaCompiler, schema: SchemaObject, path: string, tag: string): Rule | undefined {
  const flat = compiler.flatten(schema, path);
  if (!isObject(flat)) return flat ? undefined : NEVER;
  if (flat.type !== undefined && ![flat.type].flat().includes("string")) return NEVER;
  for (const keyword of ["anyOf", "oneOf"] as const) {
    const { [keyword]: branches, ...own } = flat;
    if (!Array.isArray(branches)) continue;
    // Of texts that are read as they are, any one that fits one branch of several is told apart by the JSON schema alone.
    if (keyword === "oneOf") throw compiler.unsupported(path, keyword, "in an argument that is a text; anyOf can");
    const rules = branches.map((branch) => bare(compiler, { allOf: [own, branch] } as SchemaObject, path, tag));
    return rules.includes(undefined) ? undefined : alt(...(rules as Rule[]));
  }
  if (Array.isArray(flat.enum)) {
    const also = unjudged(Object.keys(flat).filter((keyword) => typeOfKeyword(keyword) === "string"));
    if (also) throw compiler.unsupported(path, also, `beside "enum" or "const"`);
    const texts = flat.enum.filter((value): value is string => typeof value === "string" && !value.includes(tag));
    return alt(...texts.filter((value) => isValid(value, flat, compiler.effort)).map(text));
  }
  const described = Object.keys(flat).filter((keyword) => keyword !== "type" && !isAnnotation(keyword));
  const other = described.find((keyword) => !TEXT_KEYWORDS.has(keyword));
  if (other) throw compiler.unsupported(path, other, "in an argument that is a text");
  if (described.length === 0) return undefined;
  return avoid(textRule(flat, path, compiler), Array.from(tag)[0]!);
}

const TEXT_KEYWORDS: ReadonlySet<string> = new Set(["minLength", "maxLength", "pattern", "format"]);

const isOnlyText = (types: ReadonlySet<JsonType> | undefined): boolean => types?.size === 1 && types.has("string");

/** The types that values of a property may have by a schema of objects; undefined where it says nothing of them. */
export function propertyTypes(schema: unknown, name: string): ReadonlySet<JsonType> | undefined {
  return typesOf(propertyOf(schema, name), new References(schema as Schema), 0);
}

function propertyOf(schema: unknown, name: string): Json {
  if (!isObject(schema)) return true;
  const { properties, additionalProperties } = schema;
  if (isObject(properties) && Object.hasOwn(properties, name)) return properties[name]!;
  return additionalProperties ?? true;
}

/** Deeper than references lead that go anywhere. */
const MAX_DEPTH = 16;

function typesOf(schema: Json | undefined, references: References, depth: number): ReadonlySet<JsonType> | undefined {
  if (!isObject(schema) || depth > MAX_DEPTH) return undefined;
  const { type, enum: values, anyOf, oneOf, allOf, $ref } = schema;
  const own = schema.const === undefined ? values : [schema.const];
  if (type !== undefined) {
    const types = (Array.isArray(type) ? type : [type]) as JsonType[];
    return new Set(schema.nullable === true ? [...types, "null"] : types);
  }
  if (Array.isArray(own)) return new Set(own.map(typeOfValue));
  if (typeof $ref === "string") return typesOf(references.find($ref), references, depth + 1);
  const branches = anyOf ?? oneOf;
  if (Array.isArray(branches)) {
    const each = branches.map((branch) => typesOf(branch, references, depth + 1));
    return each.includes(undefined) ? undefined : new Set(each.flatMap((types) => [...types!]));
  }
  if (!Array.isArray(allOf)) return undefined;
  return allOf.map((part) => typesOf(part, references, depth + 1)).find((types) => types !== undefined);
}
