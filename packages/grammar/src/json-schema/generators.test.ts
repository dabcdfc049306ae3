import { describe, expect, it } from "vitest";
import { Constraint } from "../constraint.ts";
import { parseGrammar } from "../source.ts";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";
import { randomAnswer } from "../testing/random-answer.ts";

const vocabulary = byteVocabulary();
const constraint = (jsonSchema: unknown) => new Constraint(parseGrammar({ jsonSchema }), vocabulary);

/** Those of some values that match. */
function matching(schema: unknown, values: readonly unknown[]): unknown[] {
  const compiled = constraint(schema);
  return values.filter((value) => compiled.matches(JSON.stringify(value)));
}

/** Patterns that generators write, and whether all that they take can come. */
const PATTERNS: readonly (readonly [name: string, pattern: string, whole: boolean])[] = [
  [
    "zod's e-mail address",
    "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
    true,
  ],
  [
    "zod's duration",
    "^P(?:(\\d+W)|(?!.*W)(?=\\d|T\\d)(\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+([.,]\\d+)?S)?)?)$",
    true,
  ],
  [
    "zod's host name",
    "^(?=.{1,253}\\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\\.?$",
    false,
  ],
  ["pydantic's decimal", "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$", true],
  ["of two places", "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d{0,2}0*$", true],
  ["of twenty digits", "^(?!^[-+.]*$)[+-]?0*(?:\\d{0,20}|(?=[\\d.]{1,21}0*$)\\d*\\.\\d*0*$)", false],
  [
    "of six digits, two of them places",
    "^(?!^[-+.]*$)[+-]?0*(?:\\d{0,4}|(?=[\\d.]{1,7}0*$)\\d{0,4}\\.\\d{0,2}0*$)",
    false,
  ],
  ["a password", "^(?=.*[A-Z])(?=.*[a-z])(?=.*\\d).{8,}$", true],
];

describe("patterns that look ahead", () => {
  it.each(PATTERNS)("%s", (_, pattern, whole) => {
    const compiled = constraint({ type: "string", pattern });
    const drawn = Array.from({ length: 200 }, (_, i) => randomAnswer(compiled, compiled.shortest + (i % 30), i));
    const texts = drawn.map((text): string => JSON.parse(text));
    const expression = new RegExp(pattern, "u");
    expect(texts.filter((text) => !expression.test(text))).toEqual([]);
    expect(new Set(texts).size).toBeGreaterThan(30);
    // Nearly right ones: nothing that the expression doesn't take, and all that it takes.
    const near = texts.flatMap((text) =>
      [".", "-", "T", "W", "'", "1M", "@", "0"].flatMap((more) => [
        more + text,
        text + more,
        text.replace(/(?<=.)/u, more),
      ]),
    );
    const taken = near.filter((text) => compiled.matches(JSON.stringify(text)));
    const right = near.filter((text) => expression.test(text));
    if (whole) expect(taken).toEqual(right);
    else expect(taken.filter((text) => !expression.test(text))).toEqual([]);
  });

  it("have the numbers that pydantic's are for", () => {
    const decimal = (pattern: string, values: readonly string[]) => matching({ type: "string", pattern }, values);
    const values = [
      "0",
      "-1.5",
      "12.34",
      "1234.56",
      "1234.567",
      "12345.6",
      ".5",
      "+3",
      "1.",
      "",
      ".",
      "-",
      "1a",
      "1e3",
    ];
    expect(decimal(PATTERNS[6]![1], values)).toEqual(["0", "-1.5", "12.34", "1234.56", ".5", "+3", "1."]);
    expect(decimal(PATTERNS[5]![1], values)).toEqual(values.slice(0, 9));
    expect(decimal(PATTERNS[3]![1], values)).toEqual(values.slice(0, 9));
  });
});

describe("several things said of one text", () => {
  it("a pattern and lengths", () => {
    const slug = { type: "string", pattern: "^[a-z][a-z0-9_]*$", maxLength: 4 };
    expect(matching(slug, ["a", "a_b1", "a_b1c", "1a", ""])).toEqual(["a", "a_b1"]);
    expect(
      matching({ type: "string", pattern: "^[A-Z]{2}\\d{2}$", minLength: 4, maxLength: 4 }, ["AB12", "AB1"]),
    ).toEqual(["AB12"]);
    const labels = { type: "string", pattern: "^[a-z]+(?:-[a-z]+)*$", minLength: 3, maxLength: 5 };
    expect(matching(labels, ["a", "a-b", "abcde", "a-b-c", "ab-cde", "-abc", "é-b"])).toEqual([
      "a-b",
      "abcde",
      "a-b-c",
    ]);
    expect(matching({ type: "string", pattern: "b", maxLength: 2 }, ["b", "éb", "ééb", "a"])).toEqual(["b", "éb"]);
    expect(() => constraint({ type: "string", pattern: "^a{5}$", maxLength: 4 })).toThrow("no value is valid");
  });

  it("several patterns, and what may not be", () => {
    const both = { type: "string", allOf: [{ pattern: "^a" }, { pattern: "z$" }], maxLength: 3 };
    expect(matching(both, ["az", "abz", "abbz", "a", "z"])).toEqual(["az", "abz"]);
    expect(matching({ type: "string", not: { pattern: "^_|_$" } }, ["a_b", "_a", "a_", ""])).toEqual(["a_b", ""]);
    const code = { type: "string", pattern: "^[A-Z]{2}$", not: { enum: ["XX", "ZZ"] } };
    expect(matching(code, ["AB", "XX", "ZZ", "XZ", "ABC"])).toEqual(["AB", "XZ"]);
    expect(matching({ type: "string", maxLength: 2, not: { const: "no" } }, ["no", "na", "n", "not"])).toEqual([
      "na",
      "n",
    ]);
  });

  it.each([
    ["email", "first.last@mail.example.org", [60, 64, 100, 221, 250, 251, 254]],
    ["hostname", "mail.example.org", [30, 124, 125, 200, 250, 251, 253]],
    ["uri", "https://example.org/a/b?c=1#d", [50, 1000, 1999, 2000, 2083]],
    ["json-pointer", "/a/0/b", [50, 20_000]],
  ] as const)("a format and any most length: %s", (format, value, lengths) => {
    for (const maxLength of lengths) {
      const compiled = constraint({ type: "string", format, minLength: 5, maxLength });
      const matches = (text: string) => compiled.matches(JSON.stringify(text));
      expect([matches(value), matches("a b@ no such thing")], String(maxLength)).toEqual([true, false]);
      const text: string = JSON.parse(randomAnswer(compiled, compiled.shortest + 300, maxLength));
      expect(Array.from(text).length).toBeLessThanOrEqual(maxLength);
    }
  });

  it("a format and lengths, or a list of values", () => {
    const url = { type: "string", format: "uri", minLength: 1, maxLength: 2083 };
    expect(matching(url, ["https://example.com/a?b=1#c", "not a url", "https://a:99999"])).toEqual([
      "https://example.com/a?b=1#c",
    ]);
    expect(matching({ type: "string", format: "enum", enum: ["A", "B"] }, ["A", "C"])).toEqual(["A"]);
    const base = { type: "object", properties: { at: { type: "string", format: "date" } } };
    const fixed = { allOf: [base, { properties: { at: { const: "2024-02-29" } } }] };
    expect(matching(fixed, [{ at: "2024-02-29" }, { at: "2024-01-01" }])).toEqual([{ at: "2024-02-29" }]);
  });

  it("patterns are valid each by itself", () => {
    const halves = { type: "string", allOf: [{ pattern: "a)(b" }, { pattern: "c" }] };
    expect(() => constraint(halves)).toThrow(/not valid: unmatched/);
    expect(() => constraint({ type: "string", not: { pattern: "a)(b" } })).toThrow(/not valid: unmatched/);
  });

  it("of names", () => {
    const uuid = "123e4567-e89b-12d3-a456-426614174000";
    const byUuid = { type: "object", propertyNames: { format: "uuid" }, additionalProperties: { type: "integer" } };
    expect(matching(byUuid, [{ [uuid]: 1 }, { a: 1 }, {}])).toEqual([{ [uuid]: 1 }, {}]);
    const keys = {
      type: "object",
      propertyNames: { pattern: "^[a-z]+_\\d$", maxLength: 4 },
      additionalProperties: true,
    };
    expect(matching(keys, [{ ab_1: 1 }, { abc_1: 1 }, { a: 1 }])).toEqual([{ ab_1: 1 }]);
  });
});

it("formats end where those who check them end", () => {
  const label = "a".repeat(62);
  const format = (name: string, values: readonly string[]) => matching({ type: "string", format: name }, values);
  expect(format("hostname", [Array(4).fill(label).join("."), Array(4).fill(`${label}a`).join(".")])).toHaveLength(1);
  const local = "a".repeat(20);
  const long = `${local}.${local}.${local}@${label}.${label}.${label}`;
  expect(format("email", [long, "first.middle.last@example.org", `${"a".repeat(65)}@b.org`])).toEqual([
    long,
    "first.middle.last@example.org",
  ]);
  expect(format("date", ["0000-01-01", "0001-01-01", "0990-01-01", "2000-12-31"])).toHaveLength(3);
  expect(format("uri", ["http://a:65535/", "http://a:65536/", "http://a/b/c"])).toEqual([
    "http://a:65535/",
    "http://a/b/c",
  ]);
});

describe("schemas that come back to themselves", () => {
  it.each([
    [
      "by a described reference, as pydantic 1 writes it",
      { allOf: [{ $ref: "#/$defs/Node" }], description: "the next" },
    ],
    ["by a reference beside a type", { type: "object", $ref: "#/$defs/Node" }],
    ["by a reference that is closed", { $ref: "#/$defs/Node", unevaluatedProperties: false }],
  ])("%s", (_, next) => {
    const node = { type: "object", properties: { v: { type: "integer" }, next }, required: ["v"] };
    const schema = { $ref: "#/$defs/Node", $defs: { Node: node } };
    const values = [
      { v: 1, next: { v: 2, next: { v: 3 } } },
      { v: 1, next: { v: 2, next: { v: "3" } } },
      { v: 1, next: {} },
    ];
    expect(matching(schema, values)).toEqual(values.slice(0, 1));
  });

  it("one inside another", () => {
    const part = (name: string) => ({ allOf: [{ $ref: `#/$defs/${name}` }], title: name });
    const of = (type: string, inner: object) => ({
      type: "object",
      properties: { v: { type }, of: inner },
      required: ["v"],
    });
    const [a, b] = [part("A"), part("B")];
    const $defs = { A: of("integer", b), B: of("string", { anyOf: [a, b] }) };
    const values = [
      { v: 1, of: { v: "b", of: { v: 2, of: { v: "c" } } } },
      { v: 1, of: { v: "b", of: { v: "c", of: { v: "d", of: { v: 1 } } } } },
      { v: 1, of: { v: 2 } },
      { v: 1, of: { v: "b", of: { v: 2, of: { v: 3 } } } },
    ];
    expect(matching({ ...a, $defs }, values)).toEqual(values.slice(0, 2));
    const both = {
      type: "object",
      properties: { v: { type: "integer" }, x: { anyOf: [a, { type: "array", items: b }] } },
    };
    expect(matching({ ...both, $defs }, [{ x: [{ v: "a", of: { v: 1 } }] }, { x: [{ v: 1 }] }])).toHaveLength(1);
  });

  it("by a branch that is the whole adds nothing", () => {
    expect(matching({ anyOf: [{ type: "string" }, { $ref: "#" }] }, ["a", 1])).toEqual(["a"]);
    const list = { anyOf: [{ type: "string" }, { $ref: "#" }, { type: "array", items: { $ref: "#" } }] };
    expect(matching(list, ["a", ["a", ["b"]], [1]])).toEqual(["a", ["a", ["b"]]]);
    const mutual = {
      $ref: "#/$defs/A",
      $defs: {
        A: { anyOf: [{ $ref: "#/$defs/B" }, { type: "null" }] },
        B: { anyOf: [{ $ref: "#/$defs/A" }, { type: "boolean" }] },
      },
    };
    expect(matching(mutual, [null, true, 1])).toEqual([null, true]);
  });
});

describe("branches of which one alone may hold", () => {
  const of = (name: string, value: object) => ({ type: "object", properties: { [name]: value }, required: [name] });

  it("with integers, lists and patterns in them", () => {
    const schema = { oneOf: [of("id", { type: "integer" }), of("name", { type: "string" })] };
    expect(matching(schema, [{ id: 1 }, { name: "a" }, {}, { id: "1" }])).toEqual([{ id: 1 }, { name: "a" }]);
    const lists = {
      oneOf: [of("ids", { type: "array", items: { type: "string" } }), of("at", { type: "string", pattern: "^x" })],
    };
    expect(matching(lists, [{ ids: ["a"] }, { at: "xy" }, { at: "y" }])).toEqual([{ ids: ["a"] }, { at: "xy" }]);
    const items = {
      oneOf: [
        { type: "array", items: { type: "string" } },
        { type: "array", items: { type: "integer" } },
      ],
    };
    expect(matching(items, [["a"], [1, 2], [], ["a", 1]])).toEqual([["a"], [1, 2]]);
  });

  it("by numbers that are no integers", () => {
    expect(matching({ not: { type: "integer" } }, ["a", null, 1.5, 3, -2, 0.25])).toEqual(["a", null, 1.5, 0.25]);
    const some = { type: "number", minimum: -1, maximum: 2, not: { anyOf: [{ enum: [0.5] }, { type: "integer" }] } };
    expect(matching(some, [-1, -0.5, 0, 0.5, 1, 1.25, 2.5])).toEqual([-0.5, 1.25]);
    expect(constraint(some).matches("1.000000000000000000001")).toBe(false);
    expect(constraint({ type: "number", not: { type: "integer" } }).matches("1.5e1")).toBe(false);
    const when = {
      type: "object",
      properties: { x: { type: ["integer", "string"] }, y: { type: "string" } },
      required: ["x"],
    };
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of schemas
    const then = { ...when, if: { properties: { x: { type: "integer" } } }, then: { required: ["y"] } };
    expect(matching(then, [{ x: 1 }, { x: 1, y: "a" }, { x: "a" }])).toEqual([{ x: 1, y: "a" }, { x: "a" }]);
  });

  it("but a value that is let in by another keyword, or by an older reading, stays out", () => {
    expect(() => constraint({ not: { type: "string", nullable: true } })).toThrow(/"not" at #/);
    // Before 2019 what stands beside a reference says nothing: a number is then what must not be.
    const beside = { not: { $ref: "#/$defs/any", type: "string" }, $defs: { any: { type: ["string", "number"] } } };
    expect(matching(beside, [1, "a", null])).toEqual([null]);
  });
});

describe("what is not so", () => {
  it("of keywords that say nothing, or nothing that is known, is nothing", () => {
    expect(() => constraint({ not: { type: null } })).toThrow("no value is valid");
    expect(() => constraint({ not: { not: null } })).toThrow("no value is valid");
    expect(() => constraint({ not: { type: "strin" } })).toThrow(/"not" at #/);
    expect(() => constraint({ not: { not: 5 } })).toThrow(/"not" at #/);
    const when = { type: ["string", "integer"], if: { not: { type: "string", pattern: null } } };
    // biome-ignore lint/suspicious/noThenProperty: it is a keyword of schemas
    expect(matching({ ...when, then: { maximum: 3 } }, ["a", 2, 4])).toEqual(["a", 2]);
  });
});

describe("schemas of more than they look like", () => {
  it("parts that refer to parts several times are counted", () => {
    const parts = (depth: number, of: (part: object) => object): object =>
      Object.fromEntries(
        Array.from({ length: depth }, (_, i) => [`p${i}`, i + 1 < depth ? of({ $ref: `#/$defs/p${i + 1}` }) : {}]),
      );
    const twice = { $ref: "#/$defs/p0", $defs: parts(40, (part) => ({ allOf: [part, part] })) };
    expect(() => constraint(twice)).toThrow("more than 50000 parts, references followed");
    const pair = (part: object) => ({ type: "object", properties: { a: { allOf: [part] }, b: { allOf: [part] } } });
    expect(() => constraint({ $ref: "#/$defs/p0", $defs: parts(30, pair) })).toThrow("more than 50000 parts");
    const many = (part: object) => ({ allOf: Array(300).fill(part) });
    expect(() => constraint({ not: { $ref: "#/$defs/p0" }, $defs: parts(8, many) })).toThrow("more than 50000 parts");
  });

  it("patterns are, all together", () => {
    const pattern = (i: number) => ({ pattern: `(?:a?){9000}(?!b)${i}` });
    const properties = (of: (i: number) => object) =>
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, of(i)]));
    expect(() => constraint({ properties: properties(pattern) })).toThrow(/too many states/);
    const listed = (i: number) => ({ enum: ["a", "b"], ...pattern(i) });
    expect(() => constraint({ properties: properties(listed) })).toThrow(/too many states/);
    const named = (i: number) => ({ patternProperties: { [pattern(i).pattern]: true } });
    expect(() => constraint({ properties: properties(named) })).toThrow(/too many states/);
  });

  it("a pattern is read once for all values that it judges", () => {
    const values = Array.from({ length: 2000 }, (_, i) => `value${i}`);
    const pattern = "^(?=.*[0-9])(?!.*xx)(?=.*v)[a-z0-9]{1,200}$";
    expect(matching({ enum: values, pattern }, ["value0", "value1999", "value"])).toEqual(["value0", "value1999"]);
    const properties = Object.fromEntries(values.map((name) => [name, true]));
    const named = { type: "object", properties, propertyNames: { pattern }, patternProperties: {} };
    expect(matching(named, [{ value7: 1 }, { other: 1 }])).toEqual([{ value7: 1 }]);
  });
});

it("small things as many write them", () => {
  expect(
    matching({ enum: [1, 2, 3], minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: false }, [1, 2, 3]),
  ).toEqual([2, 3]);
  expect(matching({ type: "string", pattern: null, maxLength: null, enum: null }, ["a", 1])).toEqual(["a"]);
  expect(matching({ const: null }, [null, 1])).toEqual([null]);
  const nothing = { $ref: null, allOf: null, anyOf: null, not: null, if: null, unevaluatedProperties: null };
  expect(
    matching({ type: "object", properties: { a: { type: "null" } }, ...nothing }, [{ a: null }, { b: 1 }]),
  ).toEqual([{ a: null }]);
  expect(
    matching({ type: "array", items: { type: "boolean" }, uniqueItems: true }, [
      [true, false],
      [true, true],
    ]),
  ).toEqual([[true, false]]);
  const consts = {
    type: "array",
    items: { anyOf: [{ const: "a" }, { const: "b" }, { type: "null" }] },
    uniqueItems: true,
  };
  expect(matching(consts, [["a", null, "b"], ["a", "a"], ["c"]])).toEqual([["a", null, "b"]]);
  const named = { type: "object", properties: { if: { type: "string" }, not: true }, unevaluatedProperties: false };
  expect(matching(named, [{ if: "a" }, { else: "a" }])).toEqual([{ if: "a" }]);
});
