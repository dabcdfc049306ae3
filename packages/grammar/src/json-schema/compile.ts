import { GrammarError } from "../error.ts";
import type { Effort } from "../regex/reader.ts";
import { alt, type Grammar, NEVER, type Rule, ref, text } from "../rules/rule.ts";
import { arrayRule } from "./arrays.ts";
import { boundsOf, numeric } from "./bounds.ts";
import { CONDITIONS, conditionsOf } from "./conditions.ts";
import { withoutIdleCounts } from "./contains.ts";
import { distinct } from "./distinct.ts";
import { GENERAL, isAnnotation, saysSomething, typeOfKeyword } from "./keywords.ts";
import { ANY_VALUE, anyRules, literal } from "./literals.ts";
import { mergeSchemas } from "./merge.ts";
import { multiplesWithin, whyNot } from "./multiples.ts";
import { negate, type Surroundings } from "./negate.ts";
import { type Bound, integersWithin, numbersWithin, withFraction } from "./numbers.ts";
import { objectRule } from "./objects.ts";
import { isPlainNot, isWithoutIntegers } from "./plain-not.ts";
import { References } from "./references.ts";
import { checkSize, isObject, isSchema, type Json, type JsonType, type Schema, type SchemaObject } from "./schema.ts";
import { stringRule } from "./strings.ts";
import { closed, closedByBranch, UNEVALUATED } from "./unevaluated.ts";
import { isOfType, isValid, unjudged } from "./values.ts";

/** References followed, and schemas merged, inside one another without an end in sight. */
const MAX_NESTING = 100;
/** Schemas that are looked at, each as often as it is referred to in other ways than by a reference alone: a second's worth. */
const MAX_LOOKS = 50_000;
/** Branches that are told apart by what each of the others isn't. */
const MAX_EXCLUSIVE = 8;

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
  /** A schema with its references, its parts and its conditions taken into it. */
  flatten(schema: SchemaObject, path: string): Schema;
  unsupported(path: string, keyword: string, hint?: string): GrammarError;
  /** What its patterns have taken so far. */
  readonly effort: Effort;
}

/** A schema in the making, and its name where it has been met again meanwhile. */
interface Open {
  readonly number: number;
  name?: string;
}

/** The rules of one schema, as they are asked for. */
export class SchemaCompiler implements SchemaContext {
  readonly effort: Effort = { taken: 0 };
  readonly #references: References;
  readonly #rules = new Map<string, Rule>(anyRules());
  readonly #names = new Map<Schema, string>();
  /** Rules of choices by their lists of branches. */
  readonly #choices = new Map<unknown, string>();
  readonly #open = new Map<SchemaObject, Open>();
  #met = 0;
  /** Those of them with no list or object in between: what they say is of the same value. */
  #within = new Set<Schema>();
  #nesting = 0;
  #looks = 0;
  /** Values that a negation would allow, but that can't be described, are missing. */
  #leftOut = false;

  constructor(root: Schema) {
    checkSize(root as Json);
    this.#references = new References(root);
  }

  /** All rules, with that of the whole. */
  grammar(root: Rule): Grammar {
    if (root === NEVER && this.#leftOut)
      throw new GrammarError(
        "unsupported",
        `what "not", "if" or "oneOf" of the schema leave can't be held to: say what is valid instead`,
      );
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

  /** Parts that refer to parts several times each are as many as two to the power of how deep they go. */
  #look(): void {
    if (++this.#looks > MAX_LOOKS)
      throw new GrammarError("limit", `the schema has more than ${MAX_LOOKS} parts, references followed`);
  }

  #rule(schema: Json | undefined, path: string): Rule {
    this.#look();
    if (!isSchema(schema)) throw new GrammarError("syntax", `${path} of the schema must be an object or a boolean`);
    if (schema === false) return NEVER;
    if (schema === true) return ANY_VALUE;
    const { $ref, ...rest } = schema;
    const alone = typeof $ref === "string" && Object.keys(rest).every(isAnnotation);
    return this.#again(schema, () => (alone ? this.#referred($ref) : this.#object(this.flatten(schema, path), path)));
  }

  /** A reference is a rule of its own, so that schemas may contain themselves. */
  #referred($ref: string): Rule {
    const target = this.#references.resolve($ref);
    if (this.#within.has(target)) return NEVER;
    let name = this.#names.get(target);
    if (name === undefined) {
      name = `${$ref}@${this.#names.size}`;
      this.#names.set(target, name);
      this.#rules.set(name, this.rule(target as Json, $ref));
    }
    return this.#rules.get(name) === NEVER ? NEVER : ref(name);
  }

  /** The rule of a schema, which has a name if the schema comes back to itself in another way than by a reference alone. */
  #again(schema: SchemaObject, compile: () => Rule): Rule {
    const open = this.#open.get(schema);
    // What is valid if it is valid adds nothing.
    if (this.#within.has(schema)) return NEVER;
    if (open) {
      open.name ??= `again@${open.number}`;
      return ref(open.name);
    }
    const entry: Open = { number: this.#met++ };
    this.#open.set(schema, entry);
    this.#within.add(schema);
    const rule = compile();
    this.#within.delete(schema);
    this.#open.delete(schema);
    if (entry.name === undefined) return rule;
    this.#rules.set(entry.name, rule);
    return ref(entry.name);
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

  /** Takes `$ref`, `allOf` and conditions into the schema itself. */
  flatten(schema: SchemaObject, path: string, depth = 0): Schema {
    if (depth > MAX_NESTING) throw this.unsupported(path, "allOf", "it contains itself");
    this.#look();
    const said: SchemaObject = Object.fromEntries(
      Object.entries(schema).filter(([keyword, value]) => saysSomething(keyword, value)),
    );
    const { $ref, allOf, const: only, ...rest } = said;
    const own = withoutIdleCounts(
      Object.fromEntries(
        Object.entries(rest).filter(([keyword]) => !CONDITIONS.has(keyword) && !UNEVALUATED.has(keyword)),
      ),
    );
    const refuse = (keyword: string, hint: string): GrammarError => this.unsupported(path, keyword, hint);
    const flat = (part: SchemaObject): Schema => closedByBranch(this.flatten(part, path, depth + 1), refuse);
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
      merged = mergeSchemas(merged, isObject(part) ? flat(part) : part);
    }
    for (const part of conditionsOf(said, path, this.#surroundings, refuse)) {
      // What is out of question is said as such; everything else is a schema like any other.
      const plain = !isObject(part) || (isPlainNot(part.not) && Object.keys(part).length === 1);
      merged = mergeSchemas(merged, plain ? (part as Schema) : flat(part));
    }
    return closed(merged, said, this.#references.root, refuse);
  }

  readonly #surroundings: Surroundings = {
    resolve: (reference) => {
      this.#look();
      return this.#references.resolve(reference) as Json;
    },
    leftOut: () => {
      this.#leftOut = true;
    },
  };

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
    if (types === undefined && !used) {
      return schema.not === undefined ? ANY_VALUE : alt(...ALL_TYPES.map((type) => this.#typed(type, schema, path)));
    }
    return alt(...(types ?? impliedTypes(schema)).map((type) => this.#typed(type, schema, path)));
  }

  #choice(schema: SchemaObject, keyword: "oneOf" | "anyOf", path: string): Rule {
    const { [keyword]: branches, unevaluatedProperties, unevaluatedItems, ...own } = schema;
    if (!Array.isArray(branches) || branches.length === 0) {
      throw new GrammarError("syntax", `"${keyword}" at ${path} of the schema must be a list that isn't empty`);
    }
    // What no part speaks of is known once a branch is part of the whole.
    const whole: Record<string, Json | undefined> = {};
    if (unevaluatedProperties !== undefined) whole.unevaluatedProperties = unevaluatedProperties;
    if (unevaluatedItems !== undefined) whole.unevaluatedItems = unevaluatedItems;
    const alone = Object.keys(own).every(isAnnotation) && Object.keys(whole).length === 0;
    const beside = (...parts: readonly Json[]): Json => ({ ...whole, allOf: [own as Json, ...parts] }) as Json;
    const flat = (branches as readonly Json[]).map((branch, i) => {
      const at = `${path}/${keyword}/${i}`;
      if (!isSchema(branch)) throw new GrammarError("syntax", `${at} of the schema must be an object or a boolean`);
      // Alone, a branch keeps its reference and so its own rule; together with more it is merged.
      return alone ? branch : beside(branch);
    });
    const told = (branches: readonly Json[]) =>
      alt(...branches.map((branch, i) => this.rule(branch, `${path}/${keyword}/${i}`)));
    if (keyword === "anyOf" || this.#areDistinct(flat, path)) return told(flat);
    const tagged = this.#tagged(flat, schema.discriminator, path);
    if (!tagged) return this.#exclusive(branches, flat, path);
    if (!alone) return told(tagged);
    // Branches that must have their tag are no references any more: a choice that comes back to itself is a rule of its own.
    let name = this.#choices.get(branches);
    if (name === undefined) {
      name = `oneOf@${this.#choices.size}`;
      this.#choices.set(branches, name);
      this.#rules.set(name, told(tagged));
    }
    return ref(name);
  }

  /**
   * Branches told apart by a tag that they need not have, as it has a default: each with the tag there. Whatever has it is valid by
   * one branch alone. Undefined where it doesn't tell them apart.
   */
  #tagged(branches: readonly Json[], discriminator: Json | undefined, path: string): readonly Json[] | undefined {
    if (!isObject(discriminator) || typeof discriminator.propertyName !== "string") return undefined;
    const tag = { required: [discriminator.propertyName] };
    const tagged = branches.map((branch): Json => ({ allOf: [branch, tag] }));
    return this.#areDistinct(tagged, path) ? tagged : undefined;
  }

  #areDistinct(branches: readonly Json[], path: string): boolean {
    const seen = branches.map((branch) => (isObject(branch) ? this.flatten(branch, path) : (branch as Schema)));
    const flattened = new Map<Schema | Json, Schema | Json>();
    return distinct(seen, (schema) => {
      if (!isObject(schema) || !("$ref" in schema)) return schema;
      const flat = flattened.get(schema) ?? this.flatten(schema, path);
      flattened.set(schema, flat);
      return flat;
    });
  }

  /** Branches of which one alone may hold: each, as part of the whole, together with what the others aren't. */
  #exclusive(branches: readonly Json[], whole: readonly Json[], path: string): Rule {
    const hint = "more than one of its branches may hold; anyOf says that";
    if (branches.length > MAX_EXCLUSIVE) throw this.unsupported(path, "oneOf", hint);
    let leftOut = false;
    const surroundings = { ...this.#surroundings, leftOut: () => void (leftOut = true) };
    const others = branches.map((branch) => negate(branch, surroundings));
    if (others.includes(undefined)) throw this.unsupported(path, "oneOf", hint);
    const rules = whole.map((branch, i) =>
      this.rule({ allOf: [branch, ...(others.toSpliced(i, 1) as Json[])] }, `${path}/oneOf/${i}`),
    );
    // A branch of which nothing can be said to hold alone would be lost without a word.
    if (leftOut && rules.includes(NEVER)) throw this.unsupported(path, "oneOf", hint);
    return alt(...rules);
  }

  #enumerated(schema: SchemaObject, types: readonly JsonType[] | undefined, path: string): Rule {
    if (!Array.isArray(schema.enum)) throw new GrammarError("syntax", `"enum" at ${path} of the schema must be a list`);
    const values = (schema.enum as readonly Json[]).filter(
      (value) => types === undefined || types.some((type) => isOfType(value, type)),
    );
    const speaks = (keyword: string): boolean => {
      const type = typeOfKeyword(keyword);
      return type !== undefined && values.some((value) => isOfType(value, type));
    };
    const also = unjudged(Object.keys(schema).filter(speaks));
    if (also) throw this.unsupported(path, also, `beside "enum" or "const"`);
    return alt(...values.filter((value) => isValid(value, schema, this.effort)).map(literal));
  }

  #number(
    type: "integer" | "number",
    schema: SchemaObject,
    lower: Bound | undefined,
    upper: Bound | undefined,
    path: string,
  ): Rule {
    const step = numeric(schema, "multipleOf", path);
    if (step === undefined || step === 1)
      return type === "integer" || step === 1 ? integersWithin(lower, upper) : numbersWithin(lower, upper);
    const multiples = multiplesWithin(step, type === "integer", lower, upper);
    if (!multiples) throw this.unsupported(path, "multipleOf", whyNot(step));
    return multiples;
  }

  #typed(type: JsonType, schema: SchemaObject, path: string): Rule {
    if (type === "integer" && isWithoutIntegers(schema)) return NEVER;
    if (type === "array" || type === "object") return this.#container(type, schema, path);
    switch (type) {
      case "null":
        return isValid(null, schema) ? text("null") : NEVER;
      case "boolean":
        return alt(...[true, false].filter((value) => isValid(value, schema)).map(literal));
      case "integer":
      case "number": {
        const rules = boundsOf(schema, path).map(({ lower, upper }) => this.#number(type, schema, lower, upper, path));
        return isWithoutIntegers(schema) ? withFraction(alt(...rules)) : alt(...rules);
      }
      case "string":
        return stringRule(schema, path, this);
    }
  }

  #container(type: "array" | "object", schema: SchemaObject, path: string): Rule {
    const within = this.#within;
    this.#within = new Set();
    const rule = (type === "array" ? arrayRule : objectRule)(schema, path, this);
    this.#within = within;
    return rule;
  }
}

/** All there are; numbers hold the integers. */
const ALL_TYPES: readonly JsonType[] = ["null", "boolean", "number", "string", "array", "object"];
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
