import { describe, expect, it } from "vitest";
import { Constraint } from "./constraint.ts";
import { parseGrammar } from "./source.ts";
import { byteLetters, xgrammar } from "./testing/xgrammar.ts";
import { Vocabulary } from "./vocabulary/vocabulary.ts";

const encoder = new TextEncoder();

/** Every byte, and pieces of the kind that a trained vocabulary has: words, runs of blanks, punctuation that closes and opens. */
const pieces = [
  ...'\n  |\n    |    |", "|": "|"}|"]|]}|}}|},|{"|[{|: {|: [|, |: |true|false|null|tr|ue|nul|fal|se|alse'.split("|"),
  ...'name|age|"name|name"|tags|city|id|a|b|ab|ba|aba|hello| world|red|green|blue|12|123|0.|.5|1e|e-1|-1|00|9999'.split(
    "|",
  ),
  ...'é|ü|üb|ß|日|日本|本語|😀| é|\\u|\\n|\\"|\\\\|u00|e9|++|--|(a|b)|((|))|*(|-('.split("|"),
].map((text) => encoder.encode(text));
const tokens: readonly (Uint8Array | undefined)[] = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...pieces,
  Uint8Array.of(0xa9, 0x22), // the end of a character and a quote
  Uint8Array.of(0x22, 0xe6, 0x97), // a quote and two thirds of one
  undefined,
];
const END = tokens.length - 1;
const vocabulary = new Vocabulary(tokens, [END]);
const theirs = await xgrammar.TokenizerInfo.createTokenizerInfo(
  tokens.map((bytes) => (bytes ? byteLetters(bytes) : "</s>")),
  "byte_level",
  false,
  tokens.length,
  END,
);
const compiler = await xgrammar.GrammarCompiler.createGrammarCompiler(theirs, false);

type Compiled = Awaited<ReturnType<typeof compiler.compileGrammar>>;

const allowed = (mask: ArrayLike<number>): number[] =>
  Array.from({ length: tokens.length }, (_, token) => token).filter(
    (token) => ((mask[token >>> 5]! >>> (token & 31)) & 1) === 1,
  );

/** The same numbers every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 48271) % 2147483647;
    return state % sides;
  };
}

/** False for bytes that no text begins with: xgrammar lets bytes come that are nowhere in UTF-8, ours does not. */
function beginsText(ids: readonly number[]): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(ids), { stream: true });
    return true;
  } catch {
    return false;
  }
}

const bytesOf = (ids: readonly number[]) => Buffer.concat(ids.map((id) => tokens[id] ?? new Uint8Array()));

const STEPS = 40;
const WALKS = 6;

/** The text so far, for a message. */
const said = (ids: readonly number[]) => JSON.stringify(bytesOf(ids).toString("latin1"));

describe("grammars in a notation that both read", () => {
  it.each([
    ["a sum", 'root ::= term ([-+] term)*\nterm ::= factor ([*/] factor)*\nfactor ::= [0-9]+ | "(" root ")"'],
    ["counted rounds", 'root ::= ("ab" | "ba"){2,5} [a-c]{3} "!"?'],
    ["characters of several bytes", 'root ::= ("é" | "日本" | "😀" | "日")+ " " [^a-z\\n]{0,4} "."'],
    ["lists in lists", 'root ::= "[" (item (", " item)*)? "]"\nitem ::= root | "\\"" [^"\\\\]* "\\"" | "true"'],
    ["words with a common beginning", 'root ::= ("true" | "tru" | "hello" | "hello world" | "help") ("," root)?'],
  ])("%s: the masks are the same, bit for bit", async (_, source) => {
    const constraint = new Constraint(parseGrammar({ grammar: source }), vocabulary);
    const compiled: Compiled = await compiler.compileGrammar(source);
    for (let walk = 1; walk <= WALKS; walk++) {
      const roll = dice(walk);
      const matcher = constraint.matcher();
      const peer = await xgrammar.GrammarMatcher.createGrammarMatcher(compiled);
      const ids: number[] = [];
      for (let step = 0; step < STEPS && !matcher.done; step++) {
        const ours = allowed(matcher.mask());
        const peers = allowed(await peer.getNextTokenBitmask()).filter((token) => beginsText([...ids, token]));
        expect(ours, said(ids)).toEqual(peers);
        const token = ours[roll(ours.length)]!;
        ids.push(token);
        matcher.accept(token);
        expect(peer.acceptToken(token)).toBe(true);
        if (token === END) break;
      }
      peer.dispose();
    }
    compiled.dispose();
  });
});

describe("JSON schemas", () => {
  /** What is JSON, and xgrammar leaves out: minus zero, and escapes in texts whose length is bounded. */
  const tooShy = /-0|\\/;
  /** What it gives and ours doesn't: numbers longer than ours, and control characters in such texts, which is no JSON. */
  const tooBold = /[0-9]{21}|\p{Cc}/u;
  const SCHEMAS: readonly [string, object][] = [
    [
      "a person",
      {
        type: "object",
        properties: {
          name: { type: "string" },
          age: { type: "integer" },
          tags: { type: "array", items: { enum: ["red", "green", "blue"] }, minItems: 1, maxItems: 3 },
        },
        required: ["name", "age"],
        additionalProperties: false,
      },
    ],
    [
      "a union",
      { anyOf: [{ type: "boolean" }, { type: "null" }, { const: "a" }, { type: "array", items: { type: "boolean" } }] },
    ],
    [
      "a tree",
      {
        $ref: "#/$defs/node",
        $defs: {
          node: {
            type: "object",
            properties: { id: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
            required: ["id", "next"],
            additionalProperties: false,
          },
        },
      },
    ],
    [
      "texts of a length",
      { type: "array", items: { type: "string", minLength: 1, maxLength: 4 }, minItems: 2, maxItems: 2 },
    ],
    ["a pattern", { type: "string", pattern: "^[a-c]{2,4}(12|9)$" }],
  ];

  it.each(SCHEMAS)("%s: answers drawn from our masks are in xgrammar's language", async (_, schema) => {
    const constraint = new Constraint(parseGrammar({ jsonSchema: schema }), vocabulary);
    const grammar = await xgrammar.Grammar.fromJSONSchema(JSON.stringify(schema));
    for (let walk = 1; walk <= 40; walk++) {
      const roll = dice(walk);
      const matcher = constraint.matcher();
      const ids: number[] = [];
      for (let room = 60; room > 0 && !matcher.done; room--) {
        const tokens = allowed(matcher.mask(room));
        const token = tokens[roll(tokens.length)]!;
        matcher.accept(token);
        if (token !== END) ids.push(token);
      }
      const text = bytesOf(ids).toString();
      if (!tooShy.test(text)) expect(await xgrammar.Testings.isGrammarAcceptString(grammar, text), text).toBe(true);
    }
    grammar.dispose();
  });

  it.each(SCHEMAS)("%s: answers drawn from xgrammar's masks are in ours", async (_, schema) => {
    const constraint = new Constraint(parseGrammar({ jsonSchema: schema }), vocabulary);
    const compiled = await compiler.compileJSONSchema(JSON.stringify(schema), false, -1, [",", ":"]);
    let whole = 0;
    for (let walk = 1; walk <= 40; walk++) {
      const roll = dice(walk);
      const peer = await xgrammar.GrammarMatcher.createGrammarMatcher(compiled);
      const ids: number[] = [];
      for (let step = 0; step < 200; step++) {
        const peers = allowed(await peer.getNextTokenBitmask()).filter((token) => beginsText([...ids, token]));
        // Ends are rare among so many tokens: an answer that may end does, so that most come to one.
        const token = peers.includes(END) ? END : peers[roll(peers.length)]!;
        peer.acceptToken(token);
        if (token === END) break;
        ids.push(token);
      }
      if (!peer.isTerminated()) continue;
      const text = bytesOf(ids).toString();
      if (tooBold.test(text)) continue;
      whole++;
      expect(constraint.matches(text), text).toBe(true);
      peer.dispose();
    }
    expect(whole).toBeGreaterThan(10);
    compiled.dispose();
  });
});
