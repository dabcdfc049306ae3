import { describe, expect, it } from "vitest";
import { argmaxRows, distance, logitsDistance } from "./compare.ts";

const f = (...values: number[]) => Float32Array.from(values);

describe("distances", () => {
  it("says zero for equals, whatever their scale", () => {
    expect(distance(f(1, -2, 1e10), f(1, -2, 1e10))).toEqual({ mse: 0, maxAbs: 0, cosine: expect.closeTo(1) });
    expect(distance(f(0, 0), f(0, 0))).toEqual({ mse: 0, maxAbs: 0, cosine: 1 });
  });

  it("adds up by hand", () => {
    // differences 0, 3, 1; dot 1 + 4 + 12, squares 26 and 18
    const { mse, maxAbs, cosine } = distance(f(1, 4, 3), f(1, 1, 4));
    expect(mse).toBeCloseTo(10 / 3, 12);
    expect(maxAbs).toBe(3);
    expect(cosine).toBeCloseTo(17 / Math.sqrt(26 * 18), 12);
  });

  it("never calls NaN close", () => {
    const { mse, maxAbs, cosine } = distance(f(1, Number.NaN, 1), f(1, 2, 9));
    expect([mse, maxAbs, cosine]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it("refuses different sizes", () => {
    expect(() => distance(f(1), f(1, 2))).toThrow("1 values can't be compared with 2");
  });

  it("counts rows whose best token is the same", () => {
    const a = f(0, 5, 1, /**/ 9, 2, 2, /**/ 1, 1, 3);
    const b = f(0, 4, 1, /**/ 1, 2, 2, /**/ 0, 1, 2);
    expect(argmaxRows(a, 3)).toEqual([1, 0, 2]);
    expect(logitsDistance(a, b, 3).top1Agreement).toBeCloseTo(2 / 3);
  });
});
