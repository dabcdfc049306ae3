import { describe, expect, it } from "vitest";
import { TokenizerError } from "../error.ts";
import { type Flavour, translateRegex } from "./regex.ts";

const cases: readonly [flavour: Flavour, pattern: string, text: string, matches: string[]][] = [
  // White space is Unicode's: next line is one, the byte order mark is not.
  ["oniguruma", "\\s+", "a\u0085b\ufeffc \u3000", ["\u0085", " \u3000"]],
  ["oniguruma", "\\d+", "12٣x", ["12٣"]],
  ["oniguruma", "\\w+", "naïve_1-ー", ["naïve_1", "ー"]],
  ["oniguruma", "\\h+", "beef", ["beef"]],
  // Line ends: every line in Oniguruma, the text's in Rust.
  ["oniguruma", "a$", "a\na", ["a", "a"]],
  ["rust", "a$", "a\na", ["a"]],
  ["oniguruma", "^b", "b\nb", ["b", "b"]],
  ["oniguruma", ".+", "a\rb\nc", ["a\rb", "c"]],
  // Possessive quantifiers give nothing back.
  ["rust", "a++a", "aaa", []],
  ["rust", "x?+y", "xy y", ["xy", "y"]],
  ["rust", "\\p{N}{1,3}+", "12345", ["123", "45"]],
  ["oniguruma", "\\p{N}{1,3}+", "12345", ["12345"]],
  ["oniguruma", "(?>a|ab)c", "abc ac", ["ac"]],
  // Classes: scripts by name, sets within sets, intersections, escapes nobody needs.
  ["oniguruma", "\\p{Han}+", "漢字かな", ["漢字"]],
  ["oniguruma", "[^(\\s|[.,!?…。，、।۔،])]+", "ab,cd(e", ["ab", "cd", "e"]],
  ["oniguruma", "[a-z&&[^aeiou]]+", "bcae", ["bc"]],
  ["oniguruma", "[\\p{L}\\-\\']+", "it's-so!", ["it's-so"]],
  ["oniguruma", "[[:digit:]a-]+", "1a-b", ["1a-"]],
  ["oniguruma", "\\x{41}\\u0042", "AB", ["AB"]],
  ["oniguruma", "(?i)ab|c", "AB C", ["AB", "C"]],
  ["oniguruma", "(?i:'s)|x", "'S'ſX", ["'S", "'ſ"]],
  ["oniguruma", "\\bcat\\b", "cat concat", ["cat"]],
  ["oniguruma", "{|}", "a{}", ["{", "}"]],
];

describe("regular expressions of other libraries", () => {
  it.each(cases)("%s: %s in %j", (flavour, pattern, text, matches) => {
    expect(text.match(translateRegex(pattern, flavour)) ?? []).toEqual(matches);
  });

  it.each(["(", "[", "a)", "\\p{Nonsense}", "\\", "[[:nope:]]", "\\q", "(".repeat(500)])("refuses %s", (pattern) => {
    let thrown: unknown;
    try {
      translateRegex(pattern, "oniguruma");
    } catch (error) {
      thrown = error;
    }
    expect(TokenizerError.isInstance(thrown) && thrown.code).toBe("file-invalid");
    expect((thrown as Error).message).not.toContain("\n");
  });
});
