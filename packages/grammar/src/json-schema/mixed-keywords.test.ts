import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";
import { constraintOf, randomAnswer } from "../testing/random-answer.ts";

const name = fc.constantFrom("a", "b", "x-c", "d");
const value = fc.constantFrom<unknown>("a", "bb", 1, 2, 0, null, true, [], {}, [1], { a: 1 });
const few = fc.nat(2);

/** Any keywords beside any others, most of them about the same few names: what one says must hold with what all others say. */
const { schema } = fc.letrec<{ schema: unknown; named: unknown; list: unknown; plain: unknown }>((tie) => {
  const keywords: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    type: fc.constantFrom("object", "array", "string", "integer", "number", ["object", "string"], ["integer", "null"]),
    enum: fc.array(value, { minLength: 1, maxLength: 3 }),
    properties: tie("named"),
    required: fc.uniqueArray(name, { maxLength: 2 }),
    additionalProperties: tie("schema"),
    patternProperties: fc.dictionary(fc.constantFrom("^x-", "^[ab]$", "c"), tie("schema"), { maxKeys: 1 }),
    propertyNames: fc.constantFrom(
      { enum: ["a", "x-c"] },
      { pattern: "^x" },
      { maxLength: 1 },
      { type: "string" },
      { pattern: "-", maxLength: 3 },
      { not: { enum: ["a"] } },
    ),
    unevaluatedProperties: tie("schema"),
    minProperties: few,
    maxProperties: few,
    dependentRequired: fc.dictionary(name, fc.array(name, { maxLength: 2 }), { maxKeys: 2 }),
    dependentSchemas: tie("named"),
    items: tie("schema"),
    prefixItems: tie("list"),
    uniqueItems: fc.boolean(),
    contains: tie("schema"),
    minContains: fc.constantFrom(0, 1),
    minItems: few,
    maxItems: few,
    minimum: fc.constantFrom(-1, 0, 2.5),
    exclusiveMaximum: fc.constantFrom(0, 1, 7),
    multipleOf: fc.constantFrom(1, 2, 5),
    minLength: few,
    maxLength: few,
    pattern: fc.constantFrom("^a", "b$", "^[ab]{1,2}$", "^(?!b)", "(^$)|^a|b\\b", "^(?=.*b)(?:a|b-?)+$"),
    format: fc.constantFrom("date", "other"),
    allOf: tie("list"),
    anyOf: tie("list"),
    oneOf: tie("list"),
    not: tie("schema"),
    if: tie("schema"),
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of schemas
    then: tie("schema"),
    else: tie("schema"),
    $ref: fc.constantFrom("#/$defs/p", "#/$defs/q"),
  };
  const keyword = fc.oneof(...Object.entries(keywords).map(([key, of]) => fc.tuple(fc.constant(key), of)));
  return {
    schema: fc.oneof(
      { maxDepth: 3 },
      tie("plain"),
      fc.array(keyword, { minLength: 1, maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    ),
    named: fc.dictionary(name, tie("schema"), { maxKeys: 3, noNullPrototype: true }),
    list: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
    plain: fc.constantFrom<unknown>(
      true,
      {},
      { type: "integer" },
      { const: "a" },
      { type: "null" },
      { minimum: 1 },
      false,
    ),
  };
});

it("whatever stands beside whatever, answers are valid by the whole", () => {
  const ajv = new Ajv2020({ strict: false, logger: false });
  const vocabulary = byteVocabulary();
  let runs = 0;
  fc.assert(
    fc.property(schema, schema, schema, fc.nat(), fc.nat(30), (one, p, q, seed, spare) => {
      const whole = { allOf: [one], $defs: { p, q } };
      const constraint = constraintOf(whole, vocabulary);
      const validate = constraint && compile(ajv, whole);
      if (!validate) return;
      for (let run = 0; run < 5; run++, runs++) {
        const text = randomAnswer(constraint, constraint.shortest + spare, seed + run);
        if (!judge(validate, JSON.parse(text)))
          throw new Error(`${text} is not valid: ${ajv.errorsText(validate.errors)}`);
      }
    }),
    { numRuns: 2500 },
  );
  expect(runs).toBeGreaterThan(4000);
}, 300_000);

/** Some of what chance puts together, the validator can't read. */
function compile(ajv: Ajv2020, schema: object): ValidateFunction | undefined {
  try {
    return ajv.compile(schema);
  } catch {
    return undefined;
  }
}

/** For a few schemas the validator writes code that uses names it has not declared: there it has nothing to say. */
function judge(validate: ValidateFunction, value: unknown): boolean {
  try {
    return validate(value) as boolean;
  } catch (error) {
    if (error instanceof ReferenceError) return true;
    throw error;
  }
}
