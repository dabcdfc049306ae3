import { GrammarError } from "../error.ts";
import { alt, type Grammar, many, NEVER, optional, type Rule, ref, seq, text } from "../rules/rule.ts";
import { arrayRule } from "./arrays.ts";
import { boundsOf } from "./bounds.ts";
import { distinct } from "./distinct.ts";
import { GENERAL, isAnnotation, typeOfKeyword } from "./keywords.ts";
import { mergeSchemas } from "./merge.ts";
import { integersWithin, number, numbersWithin } from "./numbers.ts";
import { objectRule } from "./objects.ts";
import { References } from "./references.ts";
import { checkSize, isObject, isSchema, type Json, type JsonType, type Schema, type SchemaObject } from "./schema.ts";
import { space } from "./space.ts";
import { stringRule } from "./strings.ts";
import { stringOf } from "./text.ts";

/** References followed, and schemas merged, inside one another without an end in sight. */
const MAX_NESTING = 100;
/** The rule of a value about which nothing is said. */
const ANY_VALUE: Rule = ref("any");

/**
 * A JSON schema as a grammar of the JSON texts that are valid by it. Every text that matches is valid; some valid texts
 * don't match: properties come in the order of the schema, objects that name properties are closed unless
 * `additionalProperties` says otherwise, and numbers have at most 20 digits. A keyword that can't be held to is refused by name.
 */
export function compileSchema(schema: Schema): Grammar {
  const compiler = new SchemaCompiler(schema);
  return compiler.grammar(compiler.rule(schema as Json, "#"));
}

/** What the rules of one type need of the whole. */
export interface SchemaContext {
  /** The rule of a schema somewhere inside; `path` is for messages. */
  rule(schema: Json | undefined, path: string): Rule;
  /** The same under a name of its own, for what is used in several places. */
  define(rule: Rule): Rule;
  unsupported(path: string, keyword: string, hint?: string): GrammarError;
}

/** The rules of one schema, as they are asked for. */
export class SchemaCompiler implements SchemaContext {
  readonly #references: References;
  readonly #rules = new Map<string, Rule>(anyRules());
  readonly #names = new Map<Schema, string>();
  #nesting = 0;

  constructor(root: Schema) {
    checkSize(root as Json);
    this.#references = new References(root);
  }

  /** All rules, with that of the whole. */
  grammar(root: Rule): Grammar {
    if (root === NEVER) throw new GrammarError("unsatisfiable", "no value is valid by the schema");
    return { root: "root", rules: new Map(this.#rules).set("root", root) };
  }

  rule(schema: Json | undefined, path: string): Rule {
    if (++this.#nesting > MAX_NESTING)
      throw new GrammarError("limit", `the schema is nested deeper than ${MAX_NESTING}, references followed`);
    try {
      return this.#rule(schema, path);
    } finally {
      this.#nesting--;
    }
  }

  #rule(schema: Json | undefined, path: string): Rule {
    if (!isSchema(schema)) throw new GrammarError("syntax", `${path} of the schema must be an object or a boolean`);
    if (schema === false) return NEVER;
    if (schema === true) return ANY_VALUE;
    // A reference is a rule of its own, so that schemas may contain themselves.
    const { $ref, ...rest } = schema;
    if (typeof $ref === "string" && Object.keys(rest).every(isAnnotation)) {
      const target = this.#references.resolve($ref);
      let name = this.#names.get(target);
      if (name === undefined) {
        name = `${$ref}@${this.#names.size}`;
        this.#names.set(target, name);
        this.#rules.set(name, this.rule(target as Json, $ref));
      }
      return ref(name);
    }
    return this.#object(this.flatten(schema, path), path);
  }

  define(rule: Rule): Rule {
    if (rule.kind !== "seq" && rule.kind !== "alt" && rule.kind !== "repeat") return rule;
    if (rule === NEVER) return rule;
    const name = `#${this.#rules.size}`;
    this.#rules.set(name, rule);
    return ref(name);
  }

  unsupported(path: string, keyword: string, hint = ""): GrammarError {
    return new GrammarError(
      "unsupported",
      `"${keyword}" at ${path} of the schema can't be held to${hint && `: ${hint}`}`,
    );
  }

  /** Takes `$ref` and `allOf` into the schema itself. */
  flatten(schema: SchemaObject, path: string, depth = 0): Schema {
    if (depth > MAX_NESTING) throw this.unsupported(path, "allOf", "it contains itself");
    const { $ref, allOf, const: only, ...own } = schema;
    let merged: Schema = only === undefined ? own : mergeSchemas(own, { enum: [only] });
    const also: Json[] = [];
    if ($ref !== undefined) also.push(this.#references.resolve(String($ref)) as Json);
    if (allOf !== undefined) {
      if (!Array.isArray(allOf)) throw new GrammarError("syntax", `"allOf" at ${path} of the schema must be a list`);
      also.push(...allOf);
    }
    for (const part of also) {
      if (!isSchema(part))
        throw new GrammarError("syntax", `a part of "allOf" at ${path} must be an object or a boolean`);
      merged = mergeSchemas(merged, isObject(part) ? this.flatten(part, path, depth + 1) : part);
    }
    return merged;
  }

  #object(schema: Schema, path: string): Rule {
    if (typeof schema === "boolean") return schema ? ANY_VALUE : NEVER;
    for (const keyword of Object.keys(schema)) {
      if (schema[keyword] === undefined || isAnnotation(keyword) || GENERAL.has(keyword) || typeOfKeyword(keyword))
        continue;
      throw this.unsupported(path, keyword);
    }
    if (schema.oneOf !== undefined) return this.#choice(schema, "oneOf", path);
    if (schema.anyOf !== undefined) return this.#choice(schema, "anyOf", path);
    const types = typesOf(schema, path);
    if (schema.enum !== undefined) return this.#enumerated(schema, types, path);
    const used = Object.keys(schema).some((keyword) => typeOfKeyword(keyword));
    if (types === undefined && !used) return ANY_VALUE;
    return alt(...(types ?? impliedTypes(schema)).map((type) => this.#typed(type, schema, path)));
  }

  #choice(schema: SchemaObject, keyword: "oneOf" | "anyOf", path: string): Rule {
    const { [keyword]: branches, ...own } = schema;
    if (!Array.isArray(branches) || branches.length === 0) {
      throw new GrammarError("syntax", `"${keyword}" at ${path} of the schema must be a list that isn't empty`);
    }
    const flat = (branches as readonly Json[]).map((branch, i) => {
      const at = `${path}/${keyword}/${i}`;
      if (!isSchema(branch)) throw new GrammarError("syntax", `${at} of the schema must be an object or a boolean`);
      // Alone, a branch keeps its reference and so its own rule; together with more it is merged.
      return Object.keys(own).every(isAnnotation) ? branch : ({ allOf: [own as Json, branch] } as Json);
    });
    if (keyword === "oneOf") {
      const seen = flat.map((branch) => (isObject(branch) ? this.flatten(branch, path) : (branch as Schema)));
      if (!distinct(seen))
        throw this.unsupported(path, "oneOf", "more than one of its branches may hold; anyOf says that");
    }
    return alt(...flat.map((branch, i) => this.rule(branch, `${path}/${keyword}/${i}`)));
  }

  #enumerated(schema: SchemaObject, types: readonly JsonType[] | undefined, path: string): Rule {
    const also = Object.keys(schema).find((keyword) => typeOfKeyword(keyword));
    if (also) throw this.unsupported(path, also, `beside "enum" or "const"`);
    if (!Array.isArray(schema.enum)) throw new GrammarError("syntax", `"enum" at ${path} of the schema must be a list`);
    const values = (schema.enum as readonly Json[]).filter(
      (value) => types === undefined || types.some((type) => isOfType(value, type)),
    );
    return alt(...values.map((value) => literal(value)));
  }

  #typed(type: JsonType, schema: SchemaObject, path: string): Rule {
    switch (type) {
      case "null":
        return text("null");
      case "boolean":
        return alt(text("true"), text("false"));
      case "integer":
      case "number": {
        const { lower, upper, whole } = boundsOf(schema, path, this);
        return type === "integer" || whole ? integersWithin(lower, upper) : numbersWithin(lower, upper);
      }
      case "string":
        return stringRule(schema, path, this);
      case "array":
        return arrayRule(schema, path, this);
      case "object":
        return objectRule(schema, path, this);
    }
  }
}

const TYPES: readonly JsonType[] = ["null", "boolean", "integer", "number", "string", "array", "object"];

function typesOf(schema: SchemaObject, path: string): readonly JsonType[] | undefined {
  if (schema.type === undefined) return undefined;
  const types = (Array.isArray(schema.type) ? schema.type : [schema.type]) as JsonType[];
  for (const type of types) {
    if (!TYPES.includes(type))
      throw new GrammarError(
        "syntax",
        `"type" at ${path} of the schema is ${JSON.stringify(type)}, which is no JSON type`,
      );
  }
  // Numbers hold the integers too: naming both would read each of them twice.
  const distinctTypes = types.filter((type) => type !== "integer" || !types.includes("number"));
  return schema.nullable === true && !types.includes("null") ? [...distinctTypes, "null"] : distinctTypes;
}

/** Without `type`, what the keywords speak of. By the standard anything else is valid too, but nobody means that. */
function impliedTypes(schema: SchemaObject): readonly JsonType[] {
  return [...new Set(Object.keys(schema).flatMap((keyword) => typeOfKeyword(keyword) ?? []))];
}

function isOfType(value: Json, type: JsonType): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

/** One value, in the spacing that every other value may have. */
function literal(value: Json): Rule {
  if (Array.isArray(value)) {
    const items = value.flatMap((item, i) => (i === 0 ? [literal(item)] : [text(","), space, literal(item)]));
    return seq(text("["), space, ...items, ...(value.length > 0 ? [space] : []), text("]"));
  }
  if (!isObject(value)) return text(JSON.stringify(value));
  const entries = Object.entries(value);
  const members = entries.flatMap(([key, item], i) => [
    ...(i === 0 ? [] : [text(","), space]),
    text(`${JSON.stringify(key)}:`),
    space,
    literal(item),
  ]);
  return seq(text("{"), space, ...members, ...(entries.length > 0 ? [space] : []), text("}"));
}

/** The rules of a value about which nothing is said. */
function anyRules(): [string, Rule][] {
  const string = stringOf(0, Number.POSITIVE_INFINITY);
  const list = (item: Rule): Rule => optional(seq(item, many(seq(text(","), space, item)), space));
  const member = seq(string, text(":"), space, ANY_VALUE);
  return [
    ["any", alt(ref("any object"), ref("any array"), string, number, text("true"), text("false"), text("null"))],
    ["any object", seq(text("{"), space, list(member), text("}"))],
    ["any array", seq(text("["), space, list(ANY_VALUE), text("]"))],
  ];
}

/** Any JSON object: what asking for "JSON" alone means. */
export function anyObject(): Grammar {
  return { root: "any object", rules: new Map(anyRules()) };
}
