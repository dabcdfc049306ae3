import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Constraint, type Matcher } from "./constraint.ts";
import { GrammarError } from "./error.ts";
import { parseGrammar } from "./source.ts";
import { byteVocabulary, END } from "./testing/byte-vocabulary.ts";
import { Vocabulary } from "./vocabulary/vocabulary.ts";

const encoder = new TextEncoder();
const has = (mask: Uint32Array, token: number): boolean => ((mask[token >>> 5] >>> (token & 31)) & 1) === 1;

describe("a mask", () => {
  it("holds exactly the tokens after which the answer can still end", () => {
    // Over two letters every beginning can be tried out: a token may come when some continuation matches.
    const letter = fc.constantFrom("a", "b");
    const atom = fc.oneof(
      letter,
      fc.constant("[ab]"),
      fc.tuple(letter, letter).map(([x, y]) => `(?:${x}|${y}${x})`),
    );
    const part = fc.tuple(atom, fc.constantFrom("", "*", "?", "{2}", "{1,2}")).map(([x, count]) => x + count);
    const regex = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
    const words = Array.from({ length: 30 }, (_, i) =>
      (i + 2).toString(2).slice(1).replaceAll("0", "a").replaceAll("1", "b"),
    );
    const continuations = [
      "",
      ...Array.from({ length: 510 }, (_, i) => (i + 2).toString(2).slice(1).replaceAll("0", "a").replaceAll("1", "b")),
    ];
    const vocabulary = new Vocabulary([...words.map((word) => encoder.encode(word)), undefined], [words.length]);
    fc.assert(
      fc.property(regex, fc.array(fc.nat(words.length - 1), { maxLength: 3 }), (source, picks) => {
        const full = new RegExp(`^(?:${source})$`, "u");
        const matcher = new Constraint(parseGrammar({ regex: source }), vocabulary).matcher();
        let said = "";
        for (const pick of picks) {
          if (!has(matcher.mask(), pick)) break;
          matcher.accept(pick);
          said += words[pick];
        }
        const mask = matcher.done ? new Uint32Array(1) : matcher.mask();
        for (const [token, word] of words.entries()) {
          const possible = continuations.some((rest) => full.test(said + word + rest));
          expect(has(mask, token), `${source}: ${said}+${word}`).toBe(possible);
        }
        expect(matcher.complete).toBe(full.test(said));
      }),
      { numRuns: 300 },
    );
  });

  it("lets an end come where the answer may end, and nothing after it", () => {
    const matcher = new Constraint(parseGrammar({ regex: "ab*" }), byteVocabulary()).matcher();
    expect(has(matcher.mask(), END)).toBe(false);
    matcher.accept(0x61);
    expect(has(matcher.mask(), END)).toBe(true);
    matcher.accept(END);
    expect(matcher.done).toBe(true);
    expect(() => matcher.accept(0x62)).toThrow(GrammarError);
  });

  it("is what following each token says, where a text is free and where its characters are counted", () => {
    const scraps = ["a", "B", "7", " ", "_", "é", "€", "😀", '"', "\\", "<", "\n", "\u0001", "~", "a7", "a77"];
    const random = fc.sample(fc.array(fc.constantFrom(...scraps), { minLength: 2, maxLength: 9 }), {
      numRuns: 400,
      seed: 7,
    });
    const texts = random.map((parts) => encoder.encode(parts.join("")));
    // Tokens may begin and end inside a character.
    const cut = texts.map((bytes, i) =>
      i % 3 === 0 ? bytes : i % 3 === 1 ? bytes.subarray(0, -1) : bytes.subarray(1),
    );
    const vocabulary = new Vocabulary([...scraps.map((text) => encoder.encode(text)), ...cut, undefined], []);
    const json = (schema: object) => ({ jsonSchema: schema });
    const sources = [
      json({ type: "string" }),
      json({ type: "string", maxLength: 5 }),
      json({ type: "string", minLength: 4, maxLength: 9 }),
      { without: "<a>" },
      { regex: "[a-zA-Z ]{2,6}|[^é]*" },
      { regex: "[a-z]*(?:€|é)?.{3}" },
      { regex: "[a-z0-9]{2}[a-z]{4}" },
    ];
    for (const source of sources) {
      const matcher = new Constraint(parseGrammar(source), vocabulary).matcher();
      for (const said of ['"', "a", "é", "7", "B"]) {
        for (const room of [Number.POSITIVE_INFINITY, 6]) {
          const mask = matcher.mask(room);
          for (let token = 0; token < vocabulary.size - 1; token++) {
            const twin = matcher.clone();
            const taken = twin.prefixOf([token]) === 1;
            if (room === Number.POSITIVE_INFINITY) expect(has(mask, token)).toBe(taken);
            else if (has(mask, token)) expect(taken).toBe(true);
          }
        }
        const next = scraps.indexOf(said);
        if (matcher.prefixOf([next]) === 1) matcher.accept(next);
      }
    }
  });

  it("never lets a token without text come", () => {
    const vocabulary = new Vocabulary(
      [encoder.encode("a"), new Uint8Array(0), undefined, encoder.encode("<end>")],
      [3],
    );
    const { mask } = { mask: new Constraint(parseGrammar({ regex: "a|<end>" }), vocabulary).matcher().mask() };
    expect(Array.from({ length: 4 }, (_, token) => has(mask, token))).toEqual([true, false, false, false]);
  });

  it("treats tokens of equal bytes alike", () => {
    const vocabulary = new Vocabulary(
      ["x", "a", "a", "b", "a"].map((text) => encoder.encode(text)),
      [],
    );
    const mask = new Constraint(parseGrammar({ regex: "a+" }), vocabulary).matcher().mask();
    expect(mask[0]).toBe(0b10110);
  });

  it("takes a character that is spread over tokens", () => {
    const matcher = new Constraint(parseGrammar({ regex: "[é-ü]" }), byteVocabulary()).matcher();
    expect(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => has(matcher.mask(), byte))).toEqual([0xc3]);
    matcher.accept(0xc3);
    expect(has(matcher.mask(), 0xa8)).toBe(false);
    expect(has(matcher.mask(), 0xa9)).toBe(true);
  });
});

describe("a marker", () => {
  const vocabulary = new Vocabulary(
    ["<", "call", ">", undefined, undefined, "<call>", undefined].map((text) =>
      text?.length ? encoder.encode(text) : undefined,
    ),
    [6],
    new Map([
      [3, "<call>"],
      [4, "<call>more"],
    ]),
  );
  const allowed = (matcher: Matcher): number[] => {
    const mask = matcher.mask(8);
    return Array.from({ length: 7 }, (_, token) => token).filter((token) => has(mask, token));
  };

  it("is the token of that name, and no text that looks like it", () => {
    const source = { parts: [{ marker: "<call>" }, { regex: "[<>a-z]*" }] };
    const matcher = new Constraint(parseGrammar(source), vocabulary).matcher();
    expect(allowed(matcher)).toEqual([3]);
    matcher.accept(3);
    // Behind it the text may spell whatever it likes, but no token that is no text comes.
    expect(allowed(matcher)).toEqual([0, 1, 2, 5, 6]);
    expect(matcher.prefixOf([0, 3])).toBe(1);
  });

  it("is the text where there is no such token", () => {
    const matcher = new Constraint(parseGrammar({ marker: "<>" }), vocabulary).matcher();
    expect(allowed(matcher)).toEqual([0]);
  });

  it("isn't reached by half a character that no character has", () => {
    const bytes = byteVocabulary(["x"]);
    const raw = new Vocabulary(
      [...Array.from({ length: 256 }, (_, byte) => bytes.bytesOf(byte)), undefined],
      [],
      new Map([[256, "m"]]),
    );
    const mask = new Constraint(parseGrammar({ marker: "m" }), raw).matcher().mask();
    expect(Array.from({ length: 257 }, (_, token) => token).filter((token) => has(mask, token))).toEqual([256]);
  });
});

describe("a matcher", () => {
  it("says so when the vocabulary can't write what must come", () => {
    const vocabulary = new Vocabulary([encoder.encode("a")], []);
    const matcher = new Constraint(parseGrammar({ regex: "ab" }), vocabulary).matcher();
    matcher.accept(0);
    expect(() => matcher.mask()).toThrow(/no token of this vocabulary/);
  });

  it("brings an answer to its end in the room that is left", () => {
    const matcher = new Constraint(parseGrammar({ regex: '"a*"' }), byteVocabulary()).matcher();
    for (let room = 6; room > 1; room--) {
      const quote = has(matcher.mask(room), 0x22);
      matcher.accept(has(matcher.mask(room), 0x61) ? 0x61 : 0x22);
      expect(quote).toBe(room === 6 || room < 6);
    }
    expect(has(matcher.mask(1), 0x61)).toBe(false);
    matcher.accept(0x22);
    expect(matcher.done).toBe(true);
    const fresh = new Constraint(parseGrammar({ regex: "abc" }), byteVocabulary()).matcher();
    expect(() => fresh.mask(2)).toThrow(/needs up to 3 tokens more, and there is room for 2/);
  });

  it("counts room in tokens, not in their bytes", () => {
    const labels = ["a long label of one token", "another one, as long as that"];
    const one = new Constraint(parseGrammar({ choice: labels }), byteVocabulary(labels));
    expect(one.shortest).toBe(1);
    const matcher = one.matcher();
    const mask = matcher.mask(1);
    expect(Array.from({ length: 259 }, (_, token) => token).filter((token) => has(mask, token))).toEqual([257, 258]);
    // Beginning with a byte takes the label as many tokens as it has bytes left.
    expect(has(matcher.mask(24), 0x61)).toBe(false);
    expect(has(matcher.mask(25), 0x61)).toBe(true);
    const half = new Constraint(parseGrammar({ regex: "(abc){20}" }), byteVocabulary(["abc"]));
    expect(half.shortest).toBe(20);
    // Where every way fits, the mask is that of endless room: nothing is looked at anew for each token of an answer.
    const whole = half.matcher();
    expect(whole.mask(57)).toBe(whole.mask());
    expect(whole.mask(70)).toBe(whole.mask());
    expect(() => half.matcher().mask(19)).toThrow(/needs up to 20 tokens more, and there is room for 19/);
  });

  it("remembers the masks of little room, too", () => {
    const constraint = new Constraint(parseGrammar({ regex: "[ab]{5,9}" }), byteVocabulary());
    const [mask, again] = [constraint.matcher().mask(6), constraint.matcher().mask(6)];
    expect(again).toBe(mask);
    expect(constraint.matcher().mask(100)).toBe(constraint.matcher().mask());
  });

  it("goes back, and tries ahead without moving", () => {
    const matcher = new Constraint(parseGrammar({ choice: ["abc", "abd"] }), byteVocabulary(["bd"])).matcher();
    matcher.accept(0x61);
    expect(matcher.prefixOf([0x62, 0x63, 0x63])).toBe(2);
    expect(matcher.prefixOf([257])).toBe(1);
    matcher.accept(257);
    expect(matcher.done).toBe(true);
    matcher.trim(1);
    matcher.accept(0x62);
    matcher.accept(0x63);
    expect(matcher.length).toBe(3);
    expect(matcher.complete).toBe(true);
  });

  it("stops a model that would open brackets for ever", () => {
    const constraint = new Constraint(parseGrammar({ grammar: 'root ::= "[" root "]" | "x"' }), byteVocabulary());
    const matcher = constraint.matcher();
    let opened = 0;
    while (has(matcher.mask(), 0x5b)) {
      matcher.accept(0x5b);
      opened++;
    }
    expect(opened).toBe(512);
  });
});
