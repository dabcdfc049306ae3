import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawToken } from "./draw-token.ts";

/** How many of evenly spaced draws each token gets. */
function shares(weights: readonly number[], sampling: Parameters<typeof drawToken>[1], ids?: Int32Array) {
  const counts: Record<number, number> = {};
  for (let i = 0; i < 1000; i++) {
    const id = drawToken(Float32Array.from(weights), sampling, (i + 0.5) / 1000, ids);
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

const sample = { method: "sample" } as const;

describe("a drawn token", () => {
  it("comes as often as it is probable, in the order of ids", () => {
    expect(shares([1, 2, 5, 2], sample)).toEqual({ 0: 100, 1: 200, 2: 500, 3: 200 });
    expect(drawToken(Float32Array.of(1, 2, 5, 2), sample, 0.1001)).toBe(1);
  });

  it("is one of the best k, or as good as the last of them", () => {
    expect(shares([1, 2, 5, 2], { ...sample, topK: 1 })).toEqual({ 2: 1000 });
    expect(shares([1, 2, 6, 2], { ...sample, topK: 2 })).toEqual({ 1: 200, 2: 600, 3: 200 });
  });

  it("is one of the fewest that have the probability, counted after topK; of equals the first", () => {
    expect(shares([1, 2, 5, 2], { ...sample, topP: 0.7 })).toEqual({ 1: 286, 2: 714 });
    expect(shares([1, 2, 5, 3], { ...sample, topK: 2, topP: 0.6 })).toEqual({ 2: 1000 });
    expect(shares([1, 2], { ...sample, topP: 0 })).toEqual({ 1: 1000 });
  });

  it("is at least so probable as the best times minP", () => {
    expect(shares([1, 2, 6, 2], { ...sample, minP: 0.33 })).toEqual({ 1: 200, 2: 600, 3: 200 });
  });

  it("is the same from the best alone as from all", () => {
    const weight = fc.integer({ min: 1, max: 20 });
    const options = fc.record({
      topK: fc.integer({ min: 1, max: 8 }),
      topP: fc.double({ min: 0, max: 1, noNaN: true }),
      minP: fc.double({ min: 0, max: 1, noNaN: true }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(weight, { minLength: 8, maxLength: 20 }), options, (weights, { random, ...rest }) => {
        const all = Float32Array.from(weights);
        const best = Int32Array.from(all.keys())
          .sort((a, b) => all[b]! - all[a]!)
          .subarray(0, 8);
        const some = Float32Array.from(best, (id) => all[id]!);
        expect(drawToken(some, { ...sample, ...rest }, random, best)).toBe(
          drawToken(all, { ...sample, ...rest }, random),
        );
      }),
    );
  });
});
