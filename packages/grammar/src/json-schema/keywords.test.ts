import { describe, expect, it } from "vitest";
import { Constraint } from "../constraint.ts";
import { type GrammarSource, parseGrammar } from "../source.ts";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";

const vocabulary = byteVocabulary();
const constraint = (source: GrammarSource) => new Constraint(parseGrammar(source), vocabulary);

describe("conditions", () => {
  const matches = (jsonSchema: unknown, value: unknown) => constraint({ jsonSchema }).matches(JSON.stringify(value));

  it("of a property's value", () => {
    const schema = {
      type: "object",
      properties: { kind: { type: "string" }, size: { type: "integer" }, name: { type: "string" } },
      required: ["kind"],
      if: { properties: { kind: { const: "box" } } },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of schemas
      then: { required: ["size"] },
      else: { properties: { size: false }, required: ["name"] },
    };
    expect(matches(schema, { kind: "box", size: 1 })).toBe(true);
    expect(matches(schema, { kind: "box" })).toBe(false);
    expect(matches(schema, { kind: "bag", name: "b" })).toBe(true);
    expect(matches(schema, { kind: "bag", size: 1, name: "b" })).toBe(false);
    expect(matches(schema, { kind: "boxes", name: "b" })).toBe(true);
  });

  it("of a property's being there", () => {
    const schema = {
      type: "object",
      properties: { card: { type: "integer" }, address: { type: "string" } },
      dependentRequired: { card: ["address"] },
    };
    expect(matches(schema, {})).toBe(true);
    expect(matches(schema, { address: "x" })).toBe(true);
    expect(matches(schema, { card: 1, address: "x" })).toBe(true);
    expect(matches(schema, { card: 1 })).toBe(false);
  });

  it("by what a value isn't", () => {
    expect(matches({ type: "integer", not: { enum: [0, 7] } }, 0)).toBe(false);
    expect(matches({ type: "integer", not: { enum: [0, 7] } }, 70)).toBe(true);
    expect(matches({ type: "string", not: { const: "no" } }, "no")).toBe(false);
    expect(matches({ type: "string", not: { const: "no" } }, "now")).toBe(true);
    expect(matches({ enum: ["a", "abc", 5, 50, null], maxLength: 2, maximum: 9 }, "abc")).toBe(false);
    expect(matches({ enum: ["a", "abc", 5, 50, null], maxLength: 2, maximum: 9 }, 5)).toBe(true);
    expect(matches({ type: "number", not: { minimum: 3 } }, 3)).toBe(false);
    expect(matches({ type: "number", not: { not: { not: { minimum: 3 } } } }, 3)).toBe(false);
    expect(matches({ not: { not: { not: { anyOf: [{ const: 3 }, { type: "string" }] } } } }, "3")).toBe(false);
    expect(matches({ type: "number", not: { minimum: 3 } }, 2.5)).toBe(true);
  });
});

it("multiples, listed or by their last digits", () => {
  const matching = (schema: object, values: readonly string[]) => {
    const compiled = constraint({ jsonSchema: { type: "number", ...schema } });
    return values.filter((value) => compiled.matches(value));
  };
  const values = ["-50", "-7", "0", "00", "5", "7", "25", "49", "50", "051", "125", "1050", "1051", "2.5"];
  expect(matching({ multipleOf: 25 }, values)).toEqual(["-50", "0", "25", "50", "125", "1050"]);
  expect(matching({ multipleOf: 5, exclusiveMinimum: 0 }, values)).toEqual(["5", "25", "50", "125", "1050"]);
  expect(matching({ multipleOf: 5, minimum: 1 }, values)).toEqual(["5", "25", "50", "125", "1050"]);
  expect(matching({ multipleOf: 25, minimum: -24.5 }, values)).toEqual(["0", "25", "50", "125", "1050"]);
  expect(matching({ multipleOf: 7, minimum: 0, maximum: 100 }, values)).toEqual(["0", "7", "49"]);
  expect(matching({ multipleOf: 0.5, minimum: 0, maximum: 6 }, values)).toEqual(["0", "5", "2.5"]);
  const half = { type: "integer", multipleOf: 0.5 };
  for (const schema of [
    { multipleOf: 0.01 },
    { multipleOf: 7 },
    { multipleOf: 5, maximum: 3 },
    { multipleOf: 5, minimum: 6 },
    { multipleOf: 0 },
    half,
  ])
    expect(() => matching(schema, [])).toThrow(/"multipleOf" at #/);
  expect(() => matching({ multipleOf: 0.01, minimum: 0, maximum: 10 }, [])).toThrow(
    "can't be held to: 0.01 has no exact binary form, so what is a multiple of it depends on who divides",
  );
  expect(() => matching({ multipleOf: 7 }, [])).toThrow("without an upper one, the step must divide 1000");
});

it("formats beside lengths, and as notes beside patterns", () => {
  const matching = (schema: object, values: readonly string[]) => {
    const compiled = constraint({ jsonSchema: { type: "string", ...schema } });
    return values.filter((value) => compiled.matches(JSON.stringify(value)));
  };
  const values = ["", "2024-02-05", "24-02-05", "tomorrow", "http://a", "http://a/bb"];
  expect(matching({ format: "date", pattern: "^\\d\\d-\\d\\d-\\d\\d$" }, values)).toEqual(["24-02-05"]);
  expect(matching({ format: "uri", minLength: 1, maxLength: 8 }, values)).toEqual(["http://a"]);
  expect(matching({ format: "date", minLength: 9 }, values)).toEqual(["2024-02-05"]);
  expect(matching({ format: "uri", minLength: 1 }, values)).toEqual(["http://a", "http://a/bb"]);
  expect(matching({ format: "date", maxLength: 10 }, values)).toEqual(["2024-02-05"]);
  expect(() => matching({ format: "date", minLength: 11 }, values)).toThrow("no value is valid");
});

it("lists without repetition, and objects that aren't empty", () => {
  const tags = constraint({
    jsonSchema: { type: "array", items: { enum: ["a", "b", "c"] }, uniqueItems: true, maxItems: 2 },
  });
  for (const text of ["[]", '["b"]', '["b","a"]']) expect(tags.matches(text)).toBe(true);
  for (const text of ['["b","b"]', '["a","b","c"]']) expect(tags.matches(text)).toBe(false);
  const some = constraint({ jsonSchema: { type: "object", additionalProperties: true, minProperties: 1 } });
  expect([some.matches("{}"), some.matches('{"a":1}'), some.matches('{"a":1,"b":2}')]).toEqual([false, true, true]);
});

it("lists with an item of a kind, wherever it stands", () => {
  const matching = (schema: object, values: readonly unknown[]) => {
    const compiled = constraint({ jsonSchema: { type: "array", ...schema } });
    return values.filter((value) => compiled.matches(JSON.stringify(value)));
  };
  const items = { type: ["integer", "string"] };
  const values = [
    [],
    ["a"],
    [1],
    ["a", 1],
    [1, "a"],
    ["a", "b", 1],
    ["a", 1, "b", 2],
    ["a", "b", "c", 1, "d"],
    [null, 1],
  ];
  const with1 = values.filter((value) => (value as unknown[]).some((item) => item === 1) && value[0] !== null);
  expect(matching({ items, contains: { type: "integer" } }, values)).toEqual(with1);
  expect(matching({ items, contains: { type: "integer" }, minItems: 3 }, values)).toEqual(
    with1.filter(({ length }) => length >= 3),
  );
  expect(matching({ items, contains: { const: 1 }, minItems: 2, maxItems: 4 }, values)).toEqual(
    with1.filter(({ length }) => length >= 2 && length <= 4),
  );
  expect(matching({ items, contains: { const: 1 }, minContains: 0 }, values)).toEqual(values.slice(0, -1));
  // What one schema counts is nothing to another beside it.
  const none = { contains: { const: 1 }, minContains: 0 };
  for (const other of [none, { minContains: 0 }])
    expect(matching({ items, allOf: [{ contains: { const: 1 } }, other] }, values)).toEqual(with1);
  for (const more of [{ minContains: 2 }, { maxContains: 2 }, { uniqueItems: true, maxItems: 2 }, { maxItems: 100 }])
    expect(() => matching({ items, contains: { const: 1 }, ...more }, [])).toThrow(/"(?:min|max)?[cC]ontains" at #/);
});

describe("names of properties", () => {
  const matches = (jsonSchema: unknown, value: unknown) => constraint({ jsonSchema }).matches(JSON.stringify(value));

  it("as generators describe them", () => {
    const any = { type: "object", propertyNames: { type: "string" }, additionalProperties: { type: "integer" } };
    expect(matches(any, { x: 1 })).toBe(true);
    const listed = { type: "object", propertyNames: { enum: ["a", "b"] }, additionalProperties: { type: "integer" } };
    expect(matches(listed, { b: 1 })).toBe(true);
    expect(matches(listed, { c: 1 })).toBe(false);
    const patterned = { type: "object", propertyNames: { pattern: "^x-" }, additionalProperties: true };
    expect(matches(patterned, { "x-a": 1 })).toBe(true);
    expect(matches(patterned, { a: 1 })).toBe(false);
  });

  it("by patterns, beside others", () => {
    const schema = {
      type: "object",
      properties: { id: { type: "integer" }, "x-b": { minimum: 2 } },
      patternProperties: { "^y-": { type: "string" } },
    };
    expect(matches(schema, { id: 1, "y-a": "b" })).toBe(true);
    expect(matches(schema, { id: 1, "y-a": 2 })).toBe(false);
    expect(matches(schema, { id: 1, z: "b" })).toBe(false);
    // Merged, each side's names are bound by the other's "additionalProperties".
    expect(() => matches({ allOf: [schema, { properties: { id: true }, additionalProperties: false }] }, {})).toThrow(
      /"patternProperties" beside another schema's/,
    );
    const taken = { properties: { "y-a": true }, patternProperties: { "^y-": { type: "string" } } };
    expect(() => matches(taken, {})).toThrow(/"patternProperties" at # .* where they match a property's name/);
  });

  it("told apart by tags behind references, as pydantic writes unions", () => {
    const pet = (kind: string) => ({
      properties: { kind: { $ref: `#/$defs/${kind}` } },
      required: ["kind"],
      type: "object",
    });
    const schema = {
      oneOf: [pet("Cat"), pet("Dog")],
      discriminator: { propertyName: "kind", mapping: { cat: "#/$defs/Cat" } },
      $defs: { Cat: { const: "cat", type: "string" }, Dog: { enum: ["dog"] } },
      "x-note": 1,
    };
    expect(matches(schema, { kind: "dog" })).toBe(true);
    expect(matches(schema, { kind: "cow" })).toBe(false);
  });

  it("told apart by a tag that has a default, and then is written", () => {
    const node = (kind: string) => ({
      type: "object",
      properties: { kind: { const: kind, default: kind, type: "string" }, of: { type: "array", items: union } },
    });
    const union: object = {
      discriminator: { propertyName: "kind" },
      oneOf: [{ $ref: "#/$defs/Sum" }, { $ref: "#/$defs/Leaf" }],
    };
    const schema = { $defs: { Sum: node("sum"), Leaf: { ...node("leaf"), additionalProperties: false } }, ...union };
    expect(matches(schema, { kind: "sum", of: [{ kind: "leaf" }, { kind: "sum", of: [] }] })).toBe(true);
    for (const value of [{}, { of: [] }, { kind: "both" }, { kind: "sum", of: [{}] }])
      expect(matches(schema, value)).toBe(false);
    const beside = { type: "object", properties: { size: { type: "integer" } }, ...schema };
    expect(matches(beside, { size: 1, kind: "leaf" }) || matches(beside, { kind: "leaf", size: 1 })).toBe(false);
    expect(matches({ ...beside, $defs: { Sum: node("sum"), Leaf: node("leaf") } }, { size: 1, kind: "leaf" })).toBe(
      true,
    );
    const same = { ...schema, $defs: { Sum: node("sum"), Leaf: node("sum") } };
    expect(() => matches(same, {})).toThrow(/"oneOf" at #/);
  });

  it("told apart by what one must have and the other can't", () => {
    const kind = (name: string, more: object = { additionalProperties: false }) => ({
      type: "object",
      properties: { [name]: { type: "integer" }, note: { type: "string" } },
      required: [name],
      ...more,
    });
    const closed = { oneOf: [kind("a"), kind("b"), kind("c")] };
    for (const value of [{ a: 1 }, { b: 1, note: "x" }]) expect(matches(closed, value)).toBe(true);
    for (const value of [{ a: 1, b: 1 }, { note: "x" }, {}]) expect(matches(closed, value)).toBe(false);
    const patterns = { additionalProperties: false, patternProperties: { "^z": { type: "integer" } } };
    const patterned = { oneOf: [kind("a", patterns), kind("b", patterns)] };
    expect(matches(patterned, { a: 1, z: 2 })).toBe(true);
    for (const value of [{ a: 1, b: 1 }, { a: 1, b: 1, z: 2 }, { z: 2 }]) expect(matches(patterned, value)).toBe(false);
  });

  it("that no part speaks of", () => {
    const schema = {
      allOf: [{ properties: { a: { type: "integer" } } }],
      properties: { b: true },
      unevaluatedProperties: false,
    };
    expect(matches(schema, { a: 1, b: 2 }) || matches(schema, { b: 2, a: 1 })).toBe(true);
    expect(matches(schema, { c: 1 })).toBe(false);
    const conditional = { ...schema, not: { required: ["b"] } };
    expect(() => matches(conditional, {})).toThrow(/"unevaluatedProperties" at # .* together with conditions/);
  });
});

it("what a part doesn't speak of stays so, whatever stands beside the part", () => {
  const matching = (jsonSchema: object, values: readonly unknown[]) => {
    const compiled = constraint({ jsonSchema });
    return values.filter((value) => compiled.matches(JSON.stringify(value)));
  };
  const part = { anyOf: [{ properties: { a: { type: "null" } } }, { required: ["b"] }], unevaluatedProperties: false };
  const values = [{ a: null }, { x: 1 }, { a: null, x: 1 }, {}];
  expect(matching({ type: "object", ...part }, values)).toEqual([{ a: null }, {}]);
  expect(matching({ properties: { x: true }, allOf: [part] }, values)).toEqual([{ a: null }, {}]);
  const inner = { anyOf: [{ oneOf: [{ type: "object" }] }], unevaluatedProperties: false };
  expect(() => constraint({ jsonSchema: { unevaluatedProperties: true, oneOf: [inner] } })).toThrow(
    /"unevaluatedProperties" at .* beside "oneOf" inside another/,
  );
  const chosen = { oneOf: [{ properties: { a: true } }, { required: ["b"] }], unevaluatedProperties: false };
  expect(() => constraint({ jsonSchema: { properties: { x: true }, allOf: [chosen] } })).toThrow(
    /"unevaluatedProperties" at # .* beside "oneOf" inside another/,
  );
});

it("a name inside a schema that changes what references mean is refused", () => {
  const inner = { $id: "inner", $defs: { B: { type: "string" } }, $ref: "#/$defs/B" };
  const schema = { $defs: { B: {} }, properties: { a: inner } };
  expect(() => constraint({ jsonSchema: schema })).toThrow('"$id": "inner" inside the schema changes what');
  // One that refers to nothing means the same under any name; before 2019 names were anchors, too.
  const harmless = { $defs: { B: { $id: "https://e/b", type: "integer" } }, properties: { a: { $ref: "#/$defs/B" } } };
  expect(constraint({ jsonSchema: harmless }).matches('{"a":1}')).toBe(true);
  const anchored = { definitions: { B: { $id: "#b", type: "integer" } }, properties: { a: { $ref: "#b" } } };
  expect(["1", '"x"'].map((a) => constraint({ jsonSchema: anchored }).matches(`{"a":${a}}`))).toEqual([true, false]);
  // Neither a property of that name nor a value says anything.
  const named = { $id: "root", $defs: { B: { enum: [{ $id: "x" }] } }, properties: { $id: { $ref: "#/$defs/B" } } };
  expect(constraint({ jsonSchema: named }).matches('{"$id":{"$id":"x"}}')).toBe(true);
});
