import { describe, expect, it } from "vitest";
import { median, pairedRatios, quantile, spread } from "./statistics.ts";

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
});
