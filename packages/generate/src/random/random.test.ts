import { describe, expect, it } from "vitest";
import { draw, fold, randomState, split } from "./random-state.ts";
import { threefry2x32 } from "./threefry.ts";

describe("threefry2x32", () => {
  // Known answers published with Random123 1.14 (kat_vectors).
  it.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("key %j, counter %j gives %j", (key, counter, expected) => {
    expect(threefry2x32(key, counter)).toEqual(expected);
  });
});

/** The chi-square statistic of counts against one expectation each. */
function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe("random state", () => {
  it("is spread evenly", () => {
    const counts = new Array<number>(100).fill(0);
    let state = randomState(1234);
    for (let i = 0; i < 100_000; i++) {
      const [u, next] = draw(state);
      expect(u >= 0 && u < 1).toBe(true);
      counts[Math.floor(u * 100)]!++;
      state = next;
    }
    expect(chiSquare(counts, 1000)).toBeLessThan(148.2); // 99 degrees of freedom, one in a thousand
  });

  it.each([1.5, 2 ** 53, NaN, "7", 7n])("is no seed's that is no whole number: %s", (seed) => {
    expect(() => randomState(seed as number)).toThrow(
      expect.objectContaining({ code: "option-invalid", message: expect.stringMatching(/^seed is ("7"|[^"]+), but/) }),
    );
  });

  it("differs between a seed and its negative", () => {
    expect(draw(randomState(-5))[0]).not.toBe(draw(randomState(5))[0]);
  });

  it("survives JSON and gives the same again", () => {
    const state = draw(randomState(2 ** 40 + 5))[1];
    expect(draw(JSON.parse(JSON.stringify(state)))).toEqual(draw(state));
  });

  it("splits into states that differ from one another, from the parent and from a used parent's", () => {
    const parent = randomState(7);
    const used = draw(parent)[1];
    const states = [parent, ...split(parent, 50), ...split(used, 50), fold(split(parent, 1)[0]!, 0)];
    expect(new Set(states.map((state) => draw(state)[0])).size).toBe(states.length);
  });

  it("splits evenly: first draws of many children", () => {
    const counts = new Array<number>(20).fill(0);
    for (const child of split(randomState(99), 20_000)) counts[Math.floor(draw(child)[0] * 20)]!++;
    expect(chiSquare(counts, 1000)).toBeLessThan(43.8); // 19 degrees of freedom, one in a thousand
  });
});
