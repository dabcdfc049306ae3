import fc from "fast-check";
import { expect, it } from "vitest";
import { bestAllowed, ruleOut } from "./allowed.ts";

const masked = fc
  .record({
    scores: fc.array(fc.constantFrom(-Infinity, -3, 0, 2, 2.5, NaN), { minLength: 1, maxLength: 140 }),
    words: fc.array(fc.oneof(fc.constantFrom(0, 0xffffffff), fc.nat(0xffffffff)), { minLength: 5, maxLength: 5 }),
  })
  .map(({ scores, words }) => ({
    scores: Float32Array.from(scores),
    allow: Uint32Array.from(words).subarray(0, Math.ceil(scores.length / 32)),
  }));

const isIn = (allow: Uint32Array, id: number): boolean => ((allow[id >>> 5]! >>> (id & 31)) & 1) === 1;

it("leaves in what the mask leaves in, and finds the first of the best of that", () => {
  fc.assert(
    fc.property(masked, ({ scores, allow }) => {
      const expected = scores.map((score, id) => (isIn(allow, id) ? score : -Infinity));
      const out = scores.slice();
      ruleOut(out, allow);
      expect(out).toEqual(expected);
      const possible = Array.from(expected).filter((score) => score > -Infinity);
      expect(bestAllowed(scores, allow)).toBe(possible.length === 0 ? -1 : expected.indexOf(Math.max(...possible)));
    }),
  );
});
