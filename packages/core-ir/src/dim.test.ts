import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dimAdd, dimMul, dimSub, dimSubstitute, dimSymbols, dimValue, parseDim } from "./dim.ts";

const monomial = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 2 }));
const polynomial = fc
  .array(monomial, { minLength: 1, maxLength: 3 })
  .map((terms) =>
    terms.map(([n, symbols]) => symbols.reduce(dimMul, n as number | string)).reduce(dimAdd, 0 as number | string),
  );
const sizes = fc.record({ a: fc.integer({ min: 1, max: 9 }), b: fc.integer({ min: 1, max: 9 }), c: fc.nat(9) });

describe("dimensions", () => {
  it.each([
    ["seq + past", "past + seq"],
    ["s*b", "b*s"],
    ["3 + 2*b*s - 1", "2*b*s + 2"],
    ["a - a", 0],
    ["2*3", 6],
    ["-1 + x", "x - 1"],
    ["x + x", "2*x"],
  ])("reads %s as %s", (text, canonical) => expect(parseDim(text)).toBe(canonical));

  it.each(["", "a b", "a +", "a**b", "2x", "a/b"])("refuses %j", (text) => {
    expect(() => parseDim(text)).toThrow("is not a dimension");
  });

  it("calculates as numbers do, and equal results are ===", () => {
    fc.assert(
      fc.property(polynomial, polynomial, polynomial, sizes, (p, q, r, at) => {
        expect(dimValue(dimAdd(p, q), at)).toBe(dimValue(p, at) + dimValue(q, at));
        expect(dimValue(dimSub(p, q), at)).toBe(dimValue(p, at) - dimValue(q, at));
        expect(dimValue(dimMul(p, q), at)).toBe(dimValue(p, at) * dimValue(q, at) + 0);
        expect(dimMul(p, dimAdd(q, r))).toBe(dimAdd(dimMul(p, q), dimMul(p, r)));
        expect(parseDim(p)).toBe(p);
      }),
    );
  });

  it("has one zero", () => {
    for (const zero of [dimMul(-1, 0), dimMul("a", 0), dimSub("a", "a"), parseDim("0*a")])
      expect(Object.is(zero, 0)).toBe(true);
  });

  it("substitutes and names what has no size", () => {
    expect(dimSubstitute("batch*seq + 1", { batch: 2, seq: "past + 3" })).toBe("2*past + 7");
    expect(dimSymbols("b*b + a - 1")).toEqual(["a", "b"]);
    expect(() => dimValue("past + seq", { seq: 2 })).toThrow("no size given for past in past + seq");
  });
});
