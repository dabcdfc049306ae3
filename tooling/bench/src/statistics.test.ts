import { describe, expect, it } from "vitest";
import { confidence, median, pairedRatios, quantile, spread } from "./statistics.ts";

describe("statistics", () => {
  it("takes the middle, or the mean of the two middle values", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("interpolates quantiles", () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(spread([1, 2, 3, 4, 5])).toEqual({ median: 3, low: 2, high: 4 });
  });

  it("compares within rounds, so that a slow spell cancels out", () => {
    expect(pairedRatios([2, 20, 2], [1, 10, 1]).median).toBe(2);
  });

  it("says where a mean lies, at 95 % confidence", () => {
    const { low, high } = confidence([0.98, 1.0, 1.02, 1.0, 0.99, 1.01, 1.0, 1.0, 0.97, 1.03]);
    expect([low, high]).toEqual([expect.closeTo(0.9875, 3), expect.closeTo(1.0125, 3)]); // 1 ± 2.262 · 0.01764 / √10
    expect(confidence([2, 2, 2])).toEqual({ low: 2, high: 2 });
    expect(confidence([1])).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
  });
});
