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

describe("what can't be held to is refused in one line", () => {
  const refusals: readonly (readonly [GrammarSource, RegExp])[] = [
    [{ regex: "a(?=b)" }, /look-ahead/],
    [{ regex: "(a)\\1" }, /back reference/],
    [{ regex: "a\\b" }, /word boundary/],
    [{ regex: "a^b" }, /anchor in the middle/],
    [{ regex: "a(" }, /not valid/],
    [{ regex: "a{200000}" }, /more than 100000 rounds/],
    [{ regex: `${"(".repeat(300)}a${")".repeat(300)}` }, /nested deeper/],
    [{ grammar: 'root ::= root "a" | "b"' }, /begins with itself/],
    [{ grammar: 'root ::= a\na ::= b? a "x"\nb ::= "b"' }, /"a" begins with itself/],
    [{ grammar: "root ::= other" }, /"other", which is not defined/],
    [{ grammar: 'start ::= "a"' }, /no rule "root"/],
    [{ grammar: 'root ::= "a' }, /line 1 of the grammar: a closing " is expected/],
    [{ grammar: 'root ::= "a"\nroot ::= "b"' }, /twice/],
    [{ grammar: "root ::= a\na ::= [0-9] a" }, /no way to end/],
    [{ jsonSchema: { not: {} } }, /"not" at #/],
    [{ jsonSchema: { properties: { a: { uniqueItems: true } } } }, /"uniqueItems" at #\/properties\/a/],
    [{ jsonSchema: { oneOf: [{ type: "integer" }, { type: "number" }] } }, /"oneOf" at #/],
    [{ jsonSchema: { type: "text" } }, /"text", which is no JSON type/],
    [{ jsonSchema: { $ref: "https://example.com/x" } }, /points outside the schema/],
    [{ jsonSchema: { $ref: "#/$defs/none" } }, /names nothing/],
    [{ jsonSchema: { $ref: "#" } }, /begins with itself/],
    [{ jsonSchema: { minLength: -1 } }, /whole number from 0/],
    [{ jsonSchema: 3 }, /object or a boolean/],
    [{ jsonSchema: false }, /no text matches/],
    [{ choice: [] }, /at least one/],
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
