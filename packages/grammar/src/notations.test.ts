import { describe, expect, it } from "vitest";
import { Constraint } from "./constraint.ts";
import { GrammarError } from "./error.ts";
import { type GrammarSource, parseGrammar } from "./source.ts";
import { byteVocabulary } from "./testing/byte-vocabulary.ts";

const vocabulary = byteVocabulary();
const constraint = (source: GrammarSource) => new Constraint(parseGrammar(source), vocabulary);

type Row = readonly [source: GrammarSource, matching: readonly string[], others: readonly string[]];

const regexes: readonly Row[] = [
  [{ regex: "[a-c]{2,3}x?|é+" }, ["ab", "abcx", "é", "éé"], ["a", "abcd", "", "e"]],
  [{ regex: "(a?){3}b" }, ["b", "ab", "aaab"], ["aaaab", "aaa"]],
  [{ regex: "^\\d{3}-\\w+$" }, ["012-x_9"], ["01-x", "012-", "x012-x"]],
  [{ regex: "[^\\s,]+(?:,\\S+?)*" }, ["ab,c"], ["a b", ""]],
  [{ regex: "\\p{Lu}\\u{1F600}\\x41\\/" }, ["É😀A/"], ["é😀A/"]],
  [{ regex: "[\\ud83d\\ude00-\\ud83d\\ude02]" }, ["😁"], ["😃"]],
  [{ regex: "." }, ["é", "😀"], ["\n", "\u2028", "ab"]],
  [{ regex: "(?<year>[0-9]{4})(?:-[0-9]{2}){0,2}" }, ["2024", "2024-05-06"], ["2024-05-06-07"]],
];

const grammars: readonly Row[] = [
  [{ grammar: 'root ::= "a" b\nb ::= "x" b | "y" # comment\n' }, ["ay", "axxy"], ["a", "ax"]],
  [{ grammar: 'root ::=\n  ("yes" |\n   "no") [.!]?\n  | "\\u00e9"' }, ["yes!", "no", "é"], ["yes?"]],
  [{ grammar: 'root ::= "[" (root ("," root)*)? "]"' }, ["[]", "[[],[[]]]"], ["[", "[,]"]],
  [{ grammar: 'root ::= <think> [a-z]+ "</think>"?' }, ["<think>a", "<think>a</think>"], ["a", "<think>"]],
  [{ grammar: "root ::= [^a-z\\]]{2} . x-1*\nx-1 ::= [\\x30-\\x39]" }, ["AB😀12"], ["ABx1a", "]Bc"]],
];

const schemas: readonly Row[] = [
  [{ json: true }, ["{}", '{"a": [1, 2.5e3, "x\\n", null, {"b":true}]}'], ["[]", '{"a"}', "{}{}"]],
  [
    { jsonSchema: { type: "integer", minimum: -5, maximum: 123 } },
    ["-5", "0", "99", "123", "-1"],
    ["-6", "124", "1000", "00", "1.0"],
  ],
  [
    { jsonSchema: { type: "number", minimum: -1.5, exclusiveMaximum: 2.25 } },
    ["-1.5", "-1.49", "0", "0.5", "2", "2.2", "2.24999", "-0.1", "-1"],
    ["-1.51", "2.25", "2.250", "3", "-2"],
  ],
  [
    {
      jsonSchema: {
        type: "object",
        properties: { a: { type: "integer" }, b: { type: "string" }, c: { enum: [1, "x"] } },
        required: ["b"],
        additionalProperties: { type: "null" },
      },
    },
    ['{"b":"q"}', '{ "a": 1,\n  "b": "" }', '{"b":"","c":"x","zz":null,"":null}'],
    ["{}", '{"a":1}', '{"b":"","a":null}', '{"b":"","\\u0061":null}', '{"b":"","zz":1}'],
  ],
  [
    {
      jsonSchema: {
        $ref: "#/$defs/list",
        $defs: {
          list: {
            type: "object",
            properties: { value: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/list" }, { type: "null" }] } },
            required: ["value", "next"],
          },
        },
      },
    },
    ['{"value":1,"next":{"value":2,"next":null}}'],
    ['{"value":1}', '{"value":1,"next":1}'],
  ],
  [
    {
      jsonSchema: {
        prefixItems: [{ type: "integer" }, { type: "string" }],
        items: { type: "null" },
        minItems: 1,
        maxItems: 3,
      },
    },
    ["[1]", '[1,"a"]', '[ 1, "a", null ]'],
    ["[]", '["a"]', '[1,"a",null,null]'],
  ],
  [{ jsonSchema: { type: "string", pattern: '^["a]+$', maxLength: 3 } }, ['"a\\"a"'], ['"aaaa"', '""', '"a"a"']],
  [
    { jsonSchema: { type: "string", minLength: 2, maxLength: 3 } },
    ['"é😀"', '"\\ud83d\\ude00\\n"'],
    ['"a"', '"\\ud83d"'],
  ],
  [
    { jsonSchema: { type: "string", format: "date-time" } },
    ['"2024-02-28T23:59:59Z"'],
    ['"2024-02-30T23:59:59Z"', '"now"'],
  ],
  // Numbers are read as doubles: digits past theirs must not make a bound of what is left out.
  [
    { jsonSchema: { type: "number", exclusiveMinimum: 0.1234567890123456, maximum: 1 } },
    ["0.5", "1"],
    ["0.1234567890123456", "0.12345678901234560000001"],
  ],
  [
    { jsonSchema: { type: "number", exclusiveMaximum: 1e16, minimum: 9e15 } },
    ["9000000000000000"],
    ["9999999999999999.999999", "10000000000000000"],
  ],
  [{ jsonSchema: { type: "integer", exclusiveMaximum: 2 ** 60 } }, ["1"], [String(2n ** 60n - 1n), String(2n ** 60n)]],
  [{ jsonSchema: { allOf: [{ type: "string", nullable: true }, { type: "string" }] } }, ['"a"'], ["null"]],
  [
    { jsonSchema: { allOf: [JSON.parse('{"properties":{"__proto__":{"type":"string"}}}'), { minProperties: 0 }] } },
    ['{"__proto__":"a"}'],
    ['{"__proto__":5}'],
  ],
  [
    {
      jsonSchema: {
        allOf: [{ properties: { a: { type: "integer" } }, required: ["a"] }, { properties: { a: { minimum: 3 } } }],
      },
    },
    ['{"a":3}'],
    ['{"a":2}', "{}"],
  ],
  [
    {
      jsonSchema: {
        oneOf: ["cat", "dog"].map((kind) => ({
          type: "object",
          properties: { kind: { const: kind }, [kind]: { type: "boolean" } },
          required: ["kind", kind],
        })),
      },
    },
    ['{"kind":"dog","dog":true}'],
    ['{"kind":"dog","cat":true}'],
  ],
];

describe.each([
  ["regular expressions", regexes],
  ["llama.cpp's grammars", grammars],
  ["JSON schemas", schemas],
  [
    "put together",
    [
      [
        { parts: ["<", { anyOf: [{ jsonSchema: { const: 1 } }, { json: true }] }, ">"] },
        ["<1>", '<{"a":{}}>'],
        ["<2>", "<1"],
      ],
      [{ repeat: { grammar: 'root ::= "a" b\nb ::= "b"' }, between: ";" }, ["ab", "ab;ab"], ["", "ab;"]],
    ] as readonly Row[],
  ],
  ["choices", [[{ choice: ["yes", "no", "not"] }, ["yes", "no", "not"], ["ye", "", "yesno"]]] as readonly Row[]],
])("%s", (_, rows) => {
  it.each(rows.map((row): [string, Row] => [JSON.stringify(row[0]), row]))(
    "%s",
    (_source, [source, matching, others]) => {
      const { matches } = constraint(source);
      const against = constraint(source);
      expect(matching.filter((text) => !matches.call(against, text))).toEqual([]);
      expect(others.filter((text) => matches.call(against, text))).toEqual([]);
    },
  );
});

const tenBranches = { anyOf: Array.from({ length: 10 }, (_, i) => ({ type: "string", minLength: i })) };

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

function chain(length: number): unknown {
  const links = Array.from({ length }, (_, i) => [`d${i}`, i === 0 ? { type: "null" } : { $ref: `#/$defs/d${i - 1}` }]);
  return { $ref: `#/$defs/d${length - 1}`, $defs: Object.fromEntries(links) };
}

it("numbers beyond nothing are no burden, however many there are", () => {
  const names = Array.from({ length: 200 }, (_, i) => `p${i}`);
  const positive = { type: "number", exclusiveMinimum: 0 };
  const schema = { type: "object", properties: Object.fromEntries(names.map((name) => [name, positive])) };
  const compiled = constraint({ jsonSchema: schema });
  for (const value of ["0.000001", "3", "12.5"]) expect(compiled.matches(`{"p7":${value}}`)).toBe(true);
  for (const value of ["0", "0.0", "-1", "-0.000001"]) expect(compiled.matches(`{"p7":${value}}`)).toBe(false);
  const negative = constraint({ jsonSchema: { type: "number", minimum: -1, exclusiveMaximum: 0 } });
  expect(["-1", "-0.5", "-0.000001", "-0", "0", "-1.5"].map((value) => negative.matches(value))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

describe("large ones that say something are compiled", () => {
  it.each([
    [
      "four hundred optional properties",
      {
        jsonSchema: {
          properties: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`p${i}`, { type: "integer" }])),
        },
      },
      '{"p1":1,"p399":2}',
    ],
    ["a list of four thousand choices", { choice: Array.from({ length: 4000 }, (_, i) => `item ${i}`) }, "item 3999"],
    [
      "a chain of ten thousand rules",
      {
        grammar: Array.from({ length: 10_000 }, (_, i) =>
          i === 9999 ? `r${i} ::= "x"?` : `${i === 0 ? "root" : `r${i}`} ::= r${i + 1}`,
        ).join("\n"),
      },
      "x",
    ],
    ["a class of hundreds of ranges, three hundred times", { regex: "\\p{L}".repeat(300) }, "é".repeat(300)],
    ["up to thousands of characters", { jsonSchema: { type: "string", minLength: 1, maxLength: 2083 } }, '"x"'],
    ["up to a thousand items", { jsonSchema: { items: { type: "integer" }, maxItems: 1000 } }, "[1,2]"],
    ["a hundred items", { jsonSchema: { items: { type: "integer" }, minItems: 100 } }, `[1${",2".repeat(99)}]`],
    ["two hundred thousand choices", { choice: Array.from({ length: 200_000 }, (_, i) => String(i)) }, "199999"],
    ["a grammar of as many alternatives", { grammar: `root ::= ${new Array(150_000).fill('"a"').join("|")}` }, "a"],
    ["counted rounds of three hundred letters that may be missing", { regex: `(?:${"a?".repeat(300)}){2,3}` }, "aaa"],
    ["thirty nested repetitions", { regex: `${"(?:".repeat(30)}a${")+".repeat(30)}` }, "aaa"],
  ] as readonly (readonly [string, GrammarSource, string])[])("%s", (_, source, text) => {
    const began = process.threadCpuUsage();
    expect(constraint(source).matches(text)).toBe(true);
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(10_000); // a second or less; it was minutes
  });

  it("but for an expression that can be read in too many ways at once", () => {
    const ambiguous = constraint({ regex: "(a|b)*a(a|b){3000}" });
    expect(() => ambiguous.matches("a".repeat(2500))).toThrow(/ways at once/);
  });
});

describe("what can't be short is refused before anything follows it", () => {
  const integers = (minItems: number, items: object = { type: "integer" }) => ({ type: "array", items, minItems });
  it.each([
    { jsonSchema: { type: "string", minLength: 1_000_000 } },
    { jsonSchema: { type: "string", pattern: "^a{99999}$" } },
    { jsonSchema: integers(100_000) },
    { jsonSchema: integers(1000, integers(1000)) },
    { regex: "(x{1000}){1000}" },
    { regex: "x{100000}" },
    { regex: "a|b(x{1000}){1000}" },
    { grammar: 'root ::= "a" | "b" many\nmany ::= ("x"{1000}){1000}' },
  ] as readonly GrammarSource[])("%j", (source) => {
    const began = process.threadCpuUsage();
    expect(() => constraint(source).shortest).toThrow(
      /needs at least \d+ bytes, and 8192 is the most; make it smaller/,
    );
    expect(process.threadCpuUsage(began).user / 1000).toBeLessThan(1000); // milliseconds; it was up to minutes
  });
});

describe("what can't be held to is refused in one line", () => {
  const refusals: readonly (readonly [GrammarSource, RegExp])[] = [
    [{ regex: "a(?<=b)" }, /look-behind/],
    [{ regex: "a(?=b)" }, /no text matches/],
    [{ regex: "(a)\\1" }, /back reference/],
    [{ regex: "a^b" }, /no text matches/],
    [{ regex: "a(" }, /not valid/],
    [{ regex: "a{200000}" }, /more than 100000 rounds/],
    [{ regex: "ab".repeat(100_000) }, /more than 16384 characters; make it smaller/],
    [{ regex: `${"(".repeat(300)}a${")".repeat(300)}` }, /nested deeper/],
    [{ grammar: 'root ::= root "a" | "b"' }, /begins with itself/],
    [{ grammar: 'root ::= a\na ::= b? a "x"\nb ::= "b"' }, /"a" begins with itself/],
    [{ grammar: "root ::= other" }, /"other", which is not defined/],
    [{ grammar: 'start ::= "a"' }, /no rule "root"/],
    [{ grammar: 'root ::= "a' }, /line 1 of the grammar: a closing " is expected/],
    [{ grammar: 'root ::= "a"\nroot ::= "b"' }, /twice/],
    [{ grammar: "root ::= a\na ::= [0-9] a" }, /no way to end/],
    [{ jsonSchema: { not: { format: "date" } } }, /"not" at #/],
    [{ jsonSchema: { properties: { a: { uniqueItems: true } } } }, /"uniqueItems" at #\/properties\/a/],
    [{ jsonSchema: { oneOf: [{ type: "string" }, { type: "string", format: "date" }] } }, /"oneOf" at #/],
    [
      { jsonSchema: { type: "object", not: { additionalProperties: false, type: "object" } } },
      /"not".* leave can't be/,
    ],
    [{ jsonSchema: { type: "text" } }, /"text", which is no JSON type/],
    [{ jsonSchema: { $ref: "https://example.com/x" } }, /points outside the schema/],
    [{ jsonSchema: { $ref: "#/$defs/none" } }, /names nothing/],
    [{ jsonSchema: { $ref: "#" } }, /no value is valid/],
    [{ jsonSchema: { minLength: -1 } }, /whole number from 0/],
    [{ jsonSchema: { type: "string", not: { const: "a".repeat(20_000) } } }, /"not" at #/],
    [{ regex: `(?:${"a?".repeat(8000)}){2}` }, /ways at once/],
    [{ grammar: 'root ::= <[1000]> "a"' }, /<\[1000\]> in the grammar can't be held to: tokens can be named/],
    [{ grammar: "root ::= !<think>" }, /!<think> in the grammar can't be held to/],
    [{ grammar: "root ::= <think" }, /the name of a token, as in <think>, is expected/],
    [{ jsonSchema: 3 }, /object or a boolean/],
    [{ jsonSchema: false }, /no value is valid/],
    [{ jsonSchema: { type: "integer", minimum: 10, maximum: 9 } }, /no value is valid/],
    [{ choice: [] }, /at least one/],
    [{ regex: "a\n(" }, /not valid/],
    [{ jsonSchema: { constructor: 1 } }, /"constructor" at #/],
    [{ jsonSchema: { type: "string", toString: 1 } }, /"toString" at #/],
    [{ jsonSchema: chain(20_000) }, /nested deeper|longer than/],
    [{ jsonSchema: chain(2000) }, /nested deeper than 100, references followed/],
    [{ jsonSchema: { const: nested(20_000) } }, /nested deeper/],
    [{ jsonSchema: { prefixItems: new Array(20_000).fill({ type: "null" }) } }, /longer than 4096/],
    [
      { jsonSchema: { properties: { ["a".repeat(20_000)]: true }, additionalProperties: true } },
      /a name in the schema/,
    ],
    [{ grammar: `root ::= "a"${"?".repeat(50_000)}` }, /more than 250 repetitions/],
    [{ jsonSchema: { allOf: [{ enum: 5 }, { enum: 6 }] } }, /"enum" of the schema must be a list/],
    [{ jsonSchema: { allOf: [{ required: 5 }, { required: ["a"] }] } }, /must be a list/],
    [{ jsonSchema: { minimum: Number.POSITIVE_INFINITY } }, /too large to be read/],
    [{ jsonSchema: { allOf: new Array(6).fill(tenBranches) } }, /more than 256 combinations/],
  ];
  it.each(refusals.map(([source, message]) => [JSON.stringify(source).slice(0, 80), source, message] as const))(
    "%s",
    (_, source, message) => {
      const error = (() => {
        try {
          return constraint(source);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(GrammarError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).not.toContain("\n");
    },
  );
});
