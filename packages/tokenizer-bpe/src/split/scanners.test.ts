import fc from "fast-check";
import { expect, it } from "vitest";
import { borrowUnits } from "../text/units.ts";
import { digitsThen } from "./digit-scanner.ts";
import { GPT2_PATTERN, gpt2Scanner } from "./gpt2-scanner.ts";
import { knownPatterns, knownScanner } from "./known-patterns.ts";
import { translateRegex } from "./regex.ts";
import type { Scanner } from "./scanner.ts";

function scan(scanner: Scanner, text: string): string[] {
  const { units } = borrowUnits(text);
  const pieces: string[] = [];
  scanner.begin?.();
  for (let at = 0; at < text.length; ) {
    const next = scanner.next(units, at, text.length);
    pieces.push(text.slice(at, next));
    at = next;
  }
  return pieces;
}

/** Text made of what the patterns tell apart, and of anything at all. */
const mixed = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..."  \t\n\r\u00a0\u0085\u2028\u3000\ufeff'stredmlvSTREDMLVſK09²½٣一éßaZ_.,!?\"<>-=/🙂𝒜𝟘\u0301\u200d",
      ),
      fc.constantFrom("'s", "'LL", "'re", " 's", "\r\n", "   ", "'ſ", "1234", " x"),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(""));

it.each(knownPatterns)("cuts like %s", (pattern) => {
  const scanner = knownScanner(pattern);
  const regex = translateRegex(pattern, "oniguruma");
  expect(scanner).toBeDefined();
  fc.assert(
    fc.property(mixed, (text) => {
      expect(scan(scanner!, text)).toEqual(text.match(regex) ?? []);
    }),
    { numRuns: 3000 },
  );
});

it.each([true, false])("keeps digits apart (one by one: %s)", (individual) => {
  const digits = individual ? /\p{N}/gu : /\p{N}+/gu;
  const regex = translateRegex(GPT2_PATTERN, "oniguruma");
  const expected = (text: string) => {
    const pieces: string[] = [];
    let from = 0;
    for (const match of text.matchAll(digits)) {
      pieces.push(...(text.slice(from, match.index).match(regex) ?? []), match[0]);
      from = match.index + match[0].length;
    }
    return [...pieces, ...(text.slice(from).match(regex) ?? [])];
  };
  const scanner = digitsThen(individual, gpt2Scanner);
  fc.assert(
    fc.property(mixed, (text) => {
      expect(scan(scanner, text)).toEqual(expected(text));
    }),
    { numRuns: 3000 },
  );
});
