import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Constraint } from "../constraint.ts";
import { GrammarError } from "../error.ts";
import { parseGrammar } from "../source.ts";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";
import { constraintOf, randomAnswer } from "../testing/random-answer.ts";

const vocabulary = byteVocabulary(['{"', '":', '", "', "true", "null", " the", "}]", '"}', "123", "\\n", "   ", '"a"']);

const { schema } = fc.letrec((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    tie("scalar"),
    tie("object"),
    tie("array"),
    tie("choice"),
    tie("condition"),
    tie("names"),
    tie("kept"),
  ),
  scalar: fc.oneof(
    fc.constantFrom({ type: "boolean" }, { type: "null" }, { type: "string" }, { type: "number" }, { type: "integer" }),
    fc
      .tuple(fc.integer({ min: -2000, max: 2000 }), fc.nat(3000))
      .map(([low, span]) => ({ type: "integer", minimum: low, maximum: low + span })),
    fc
      .tuple(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 900 }), fc.constantFrom(1, 10, 100, 1000))
      .map(([low, span, scale]) => ({ type: "number", exclusiveMinimum: low / scale, maximum: (low + span) / scale })),
    fc.tuple(fc.nat(4), fc.nat(6)).map(([min, more]) => ({ type: "string", minLength: min, maxLength: min + more })),
    fc.constantFrom("^[a-f0-9]{4,8}$", "x+y", "^(yes|no)").map((pattern) => ({ type: "string", pattern })),
    fc.constantFrom("date", "time", "date-time", "ipv4", "uuid").map((format) => ({ type: "string", format })),
    fc
      .array(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), { minLength: 1, maxLength: 4 })
      .map((values) => ({ enum: values })),
  ),
  object: fc
    .tuple(
      fc.dictionary(fc.string({ maxLength: 4 }), tie("schema"), { maxKeys: 4, noNullPrototype: true }),
      fc.constantFrom(undefined, false, { type: "integer" }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    )
    .map(([properties, additionalProperties, needed]) => ({
      type: "object",
      properties,
      required: Object.keys(properties).filter((_, i) => needed[i]),
      ...(additionalProperties === undefined ? {} : { additionalProperties }),
    })),
  array: fc
    .tuple(tie("schema"), fc.nat(2), fc.nat(3))
    .map(([items, min, more]) => ({ type: "array", items, minItems: min, maxItems: min + more })),
  condition: fc
    .tuple(
      fc.subarray(["a", "b", 3, null], { minLength: 1 }),
      fc.constantFrom({ enum: ["a", "b", 3, null, false] }, { type: ["string", "integer"], maximum: 9 }, {}),
      tie("schema"),
      tie("schema"),
      fc.constantFrom("if", "not", "dependentRequired", "dependentSchemas", "oneOf", "unevaluatedProperties"),
      fc.boolean(),
    )
    .map(([values, kind, x, y, how, needed]) => {
      const own = { type: "object", properties: { kind, x, y }, required: needed ? ["kind"] : [] };
      const when = { properties: { kind: { enum: values } }, ...(needed ? {} : { required: ["kind"] }) };
      const never = { properties: { x: false } };
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of schemas
      if (how === "if") return { ...own, if: when, then: { required: ["x"] }, else: { ...never, required: ["y"] } };
      if (how === "not") return { ...own, not: when };
      if (how === "dependentRequired") return { ...own, dependentRequired: { kind: ["x"], x: ["y"] } };
      if (how === "dependentSchemas") return { ...own, dependentSchemas: { kind: never, x: { properties: { y } } } };
      if (how === "oneOf") return { ...own, oneOf: [when, { required: ["x"] }] };
      const parts = [{ properties: { kind }, required: ["kind"] }, { properties: { x } }];
      return { type: "object", anyOf: parts, properties: { y }, unevaluatedProperties: needed && { type: "null" } };
    }),
  names: fc
    .tuple(tie("schema"), tie("schema"), fc.constantFrom("^x-", "^[a-d]{1,3}$", "e$"), fc.nat(2))
    .map(([value, other, pattern, how]) => {
      if (how === 0) return { type: "object", propertyNames: { pattern }, additionalProperties: value };
      if (how === 1) return { type: "object", propertyNames: { enum: ["p", "q"] }, additionalProperties: value };
      return { type: "object", properties: { "": other }, patternProperties: { [pattern]: value } };
    }),
  kept: fc.constantFrom(
    { type: "integer", minimum: -20, maximum: 20, not: { enum: [-3, 0, 7] } },
    { type: "number", not: { minimum: 3 } },
    { not: { type: ["string", "object", "array"] } },
    { type: "string", not: { enum: ["", "a", "ab"] } },
    { enum: ["a", "abc", 5, 50, null], maxLength: 2, exclusiveMaximum: 50 },
    { type: "string", pattern: "^[a-c]+$", not: { const: "x" } },
    { type: "number", exclusiveMinimum: 0 },
    { type: "integer", multipleOf: 25 },
    { type: "number", multipleOf: 8, minimum: 0 },
    { type: "number", multipleOf: 0.25, minimum: -2, exclusiveMaximum: 3 },
    { type: "integer", multipleOf: 7, exclusiveMinimum: -7, maximum: 700 },
    { type: "array", items: { enum: ["a", 1, null, "a"] }, uniqueItems: true, minItems: 2 },
    { type: "array", items: { type: "integer" }, uniqueItems: true, maxItems: 1 },
    { type: "object", additionalProperties: { type: "null" }, minProperties: 1 },
    { type: "object", properties: { a: true, b: { type: "null" } }, minProperties: 1 },
    { type: "string", format: "date", pattern: "^[0-9]{2}-" },
    { type: "string", format: "uri", minLength: 2, maxLength: 5 },
    { type: "string", format: "time", minLength: 5 },
    {
      properties: { size: { type: "integer" } },
      oneOf: ["a", "b", "c"].map((tag) => ({
        properties: { tag: { const: tag, default: tag }, size: { minimum: 3 } },
      })),
      discriminator: { propertyName: "tag" },
    },
    {
      oneOf: [
        { type: "number", minimum: 2 },
        { type: "integer", maximum: 5 },
      ],
    },
  ),
  choice: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((branches) => ({ anyOf: branches })),
}));

describe("random schemas and random logits", () => {
  it("always give JSON that is valid by the schema, within the room there is", () => {
    const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });
    let runs = 0;
    fc.assert(
      fc.property(schema as fc.Arbitrary<object>, fc.nat(), fc.nat(60), (schema, seed, spare) => {
        const constraint = constraintOf(schema, vocabulary);
        if (!constraint) return;
        const validate = ajv.compile(schema);
        // Several answers a schema: compiling a validator is what takes the time.
        for (let run = 0; run < 10; run++, runs++) {
          const room = constraint.shortest + spare;
          const text = randomAnswer(constraint, room, seed + run);
          const value: unknown = JSON.parse(text);
          if (!validate(value)) throw new Error(`${text} is not valid: ${ajv.errorsText(validate.errors)}`);
        }
      }),
      { numRuns: 1300 },
    );
    expect(runs).toBeGreaterThan(10_000);
  });

  it("say beforehand when there is too little room", () => {
    const constraint = new Constraint(
      parseGrammar({ jsonSchema: { type: "string", minLength: 30 } }),
      byteVocabulary(),
    );
    expect(constraint.shortest).toBe(32);
    expect(() => constraint.matcher().mask(31)).toThrow(GrammarError);
  });
});
