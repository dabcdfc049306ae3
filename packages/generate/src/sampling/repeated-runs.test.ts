import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runsBefore } from "./repeated-runs.ts";

/** The definition, word by word. */
function byComparing(tokens: readonly number[], breakers: ReadonlySet<number>): Map<number, number> {
  const longest = new Map<number, number>();
  for (let i = 0; i < tokens.length - 1; i++) {
    let run = 0;
    while (run <= i && tokens[i - run] === tokens[tokens.length - 1 - run] && !breakers.has(tokens[i - run]!)) run++;
    const next = tokens[i + 1]!;
    if (run > 0 && !breakers.has(next)) longest.set(next, Math.max(longest.get(next) ?? 0, run));
  }
  return longest;
}

describe("runs that were there before", () => {
  it("are those that comparing every place finds", () => {
    const few = fc.integer({ min: 0, max: 2 });
    fc.assert(
      fc.property(fc.array(few, { maxLength: 40 }), fc.array(few, { maxLength: 2 }), (tokens, breakers) => {
        const set = new Set(breakers);
        const later = [...tokens, 9, 9, 9]; // what doesn't count yet
        expect(new Map(runsBefore(later, tokens.length, set))).toEqual(byComparing(tokens, set));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["equal tokens", () => 7],
    ["a period of three", (i: number) => i % 3],
  ])("take a few looks at each token, not one for each other token: %s", (_, tokenAt) => {
    const length = 1 << 14;
    let looks = 0;
    const look = (_: unknown, at: string | symbol): number => {
      looks++;
      return tokenAt(Number(at));
    };
    const tokens = new Proxy({ length }, { get: look }) as unknown as ArrayLike<number>;
    const runs = runsBefore(tokens, length, new Set());
    expect(Math.max(...runs.values())).toBe(tokenAt(1) === 7 ? length - 1 : length - 3);
    expect(looks).toBeLessThan(8 * length);
  });
});
