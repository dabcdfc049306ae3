import { describe, expect, it } from "vitest";
import { Constraint } from "../constraint.ts";
import { GrammarError } from "../error.ts";
import { grammarOf, type Rule } from "../rules/rule.ts";
import { byteVocabulary } from "../testing/byte-vocabulary.ts";
import type { Expression } from "./expression.ts";
import { parseRegex } from "./parse.ts";
import { containing, described, whole } from "./texts.ts";

const vocabulary = byteVocabulary();

/** What says whether a text matches a rule; nothing does where the rule is of no texts. */
function matcher(rule: Rule | undefined): (text: string) => boolean {
  if (!rule) throw new Error("too many states");
  try {
    const constraint = new Constraint(grammarOf(rule), vocabulary);
    return (text) => constraint.matches(text);
  } catch (error) {
    if (GrammarError.isInstance(error) && error.code === "unsatisfiable") return () => false;
    throw error;
  }
}

/** Numbers below others, the same ones for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const LEAVES = ["a", "b", "-", "[ab]", ".", "^", "$", "\\b", "\\B", "\\w", "a", "b"];
const COUNTS = ["*", "+", "?", "{2}", "{1,3}"];

/** An expression of anything that is read, wherever the engine allows it. */
function drawn(roll: (below: number) => number, depth: number): string {
  const inner = () => drawn(roll, depth - 1);
  if (depth === 0) return LEAVES[roll(LEAVES.length)]!;
  switch (roll(8)) {
    case 0:
      return `(?:${inner()}|${inner()})`;
    case 1:
      return `(?:${inner()})${COUNTS[roll(COUNTS.length)]}`;
    case 2:
      return `(?=${inner()})`;
    case 3:
      return `(?!${inner()})`;
    case 4:
      return `(${inner()})`;
    default:
      return inner() + inner();
  }
}

const texts = [""];
for (let i = 0; texts.length < 121; i++) for (const letter of ["a", "b", "-"]) texts.push(texts[i] + letter);

it("expressions mean what the engine has them mean: anchors, boundaries and looks ahead wherever they stand", () => {
  const roll = dice(7);
  for (let run = 0; run < 500; run++) {
    const source = drawn(roll, 1 + roll(4));
    const [min, max] = [roll(3), [Number.POSITIVE_INFINITY, 2, 4][roll(3)]!];
    const expression = parseRegex(source);
    const [exact, somewhere] = [new RegExp(`^(?:${source})$`, "u"), new RegExp(source, "u")];
    const fits = (text: string) => somewhere.test(text) && text.length >= min && text.length <= max;
    const forms: readonly [form: string, rule: Rule | undefined, (text: string) => boolean][] = [
      ["as a whole", whole(expression), (text) => exact.test(text)],
      ["somewhere", containing(expression), (text) => somewhere.test(text)],
      ["of a length", described({ pattern: expression, lengths: { min, max } }), fits],
      [
        "but for some",
        described({ pattern: expression, none: ["a", "-b"], lengths: { min, max } }),
        (text) => fits(text) && text !== "a" && text !== "-b",
      ],
    ];
    for (const [form, rule, expected] of forms) {
      const matches = matcher(rule);
      const wrong = texts.filter((text) => matches(text) !== expected(text));
      expect(wrong, `/${source}/ ${form} ${min}-${max}`).toEqual([]);
    }
  }
});

describe("expressions that the u flag's rules don't allow, and what they are written for", () => {
  it.each([
    ["\\d{3}\\-\\d{4}", ["123-4567"], ["123\\-4567"]],
    ["\\w+\\@\\w+\\.com", ["a@b.com"], ["a@bxcom"]],
    ["\\#\\ \\&\\~\\_\\:\\\"\\'\\,\\%", ["# &~_:\"',%"], []],
    ["a{,2}b{x}]}", ["a{,2}b{x}]}"], ["aab"]],
    ["[\\w-.]+@([\\w-]+\\.)+[\\w-]{2,4}", ["a-b.c@d-e.org"], ["a+b@d.org"]],
    ["[+\\-*\\/\\_\\@]+", ["+-*/_@"], [",", "."]],
    ["\\A(?P<year>\\d{4})\\Z", ["2024"], ["20245"]],
    ["[\\p{L}\\@]{2}", ["é@"], ["p{"]],
    ["\\p{L}+\\-\\u{61}\\P{L}", ["éa-a1"], ["1-a1", "é-aa"]],
  ])("%s", (source, matching, others) => {
    const matches = matcher(whole(parseRegex(source)));
    expect(matching.filter((text) => !matches(text))).toEqual([]);
    expect(others.filter((text) => matches(text))).toEqual([]);
  });

  it("and others are refused as before", () => {
    expect(() => parseRegex("\\-(")).toThrow(/the regular expression \/\\-\(\/ is not valid: unterminated group/);
    expect(() => parseRegex("(?P=year)")).toThrow(/not valid/);
  });
});

it("what can be told by states alone is told by few of them", () => {
  const states = (expression: Expression, max = Number.POSITIVE_INFINITY): number => {
    const rule = described({ pattern: expression, lengths: { min: 0, max } });
    return rule?.kind === "machine" ? rule.states.length : 0;
  };
  // All that lengths change is how often a class is read.
  expect(states(parseRegex("^[a-z][a-z0-9_]*$"), 64)).toBe(0);
  expect(states(parseRegex("^https?://.*$"), 2083)).toBe(0);
  expect(states(parseRegex("^[A-Z]{2}-?\\d{4}$"), 7)).toBe(0);
  expect(states(parseRegex("^[a-z]+(?:-[a-z]+)*$"), 63)).toBeLessThan(200);
  expect(states(parseRegex("^(?=.*[A-Z])(?=.*[a-z])(?=.*\\d).{8,}$"))).toBeLessThan(150);
  // More of them than can be followed in no time are refused.
  const ambiguous = parseRegex("(?=(?:a|b)*a(?:a|b){40}$)a");
  expect(() => described({ pattern: ambiguous, lengths: { min: 0, max: 99 } })).toThrow(/too many states/);
  expect(described({ pattern: parseRegex("^a+b+$"), lengths: { min: 0, max: 99_999 } })).toBeUndefined();
  expect(() => containing(parseRegex("(?=x)(?:[a-z]{1,9}){1,500}"))).toThrow(/too many states/);
  expect(() => containing(parseRegex("(?=x{30000})x"))).toThrow(/makes too many states; make it smaller/);
  // Rounds of nothing are none, and what must be found ahead counts by how much of it there is.
  expect(matcher(whole(parseRegex("(?=a)(?:(?:(?:){100000}){100000}){100000}a")))("a")).toBe(true);
  const ahead = Array.from({ length: 1000 }, (_, i) => `(?=.*${String.fromCharCode(97 + (i % 26))})`).join("");
  expect(() => containing(parseRegex(`^(?:${ahead}.)*$`))).toThrow(/too many states/);
});

it("a pattern that may go on is held to no further than it must be", () => {
  const matches = matcher(containing(parseRegex("[a-z]{1,4000}")));
  expect(matches(`1${"a".repeat(6000)}1`)).toBe(true);
  expect(matches("1234")).toBe(false);
});
