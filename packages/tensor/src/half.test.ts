import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bf16ToF32, bf16ToNumber, f16ToF32, f16ToNumber, numberToBf16, numberToF16, toBf16, toF16 } from "./half.ts";

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);

/** A value's nearest neighbour among a format's, found by looking: sorted by value, which for one sign is by bits. */
function nearest(value: number, decode: (bits: number) => number, infinity: number): number {
  const magnitude = Math.abs(value);
  let [low, high] = [0, infinity];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (decode(middle) <= magnitude) low = middle;
    else high = middle;
  }
  // Beyond the largest value, the next one would be as far again as the one before.
  const above = high === infinity ? 2 * decode(high - 1) - decode(high - 2) : decode(high);
  const [toLow, toHigh] = [magnitude - decode(low), above - magnitude];
  const up = toHigh < toLow || (toHigh === toLow && (low & 1) === 1);
  return (up ? high : low) | (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

describe.each([
  { name: "f16", toBits: numberToF16, toNumber: f16ToNumber, infinity: 0x7c00, many: toF16, values: f16ToF32 },
  { name: "bf16", toBits: numberToBf16, toNumber: bf16ToNumber, infinity: 0x7f80, many: toBf16, values: bf16ToF32 },
])("$name", ({ toBits, toNumber, infinity, many, values }) => {
  test("all 65536 patterns keep their value, NaNs stay NaN", () => {
    const decoded = values(everyPattern);
    const again = many(decoded);
    for (const bits of everyPattern) {
      const nan = (bits & 0x7fff) > infinity;
      expect(Number.isNaN(decoded[bits]!)).toBe(nan);
      expect(Object.is(decoded[bits], toNumber(bits))).toBe(true);
      if (nan) expect(again[bits]! & 0x7fff).toBeGreaterThan(infinity);
      else expect(again[bits]).toBe(bits);
    }
  });

  test("the middle between neighbours goes to the even one, anything beside it to the nearer one", () => {
    for (let bits = 0; bits + 1 < infinity; bits++) {
      const [a, b] = [toNumber(bits), toNumber(bits + 1)];
      const middle = (a + b) / 2; // exact in a double
      const nudge = (b - a) / 2 ** 20;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (toBits(middle) !== even || toBits(middle - nudge) !== bits || toBits(middle + nudge) !== bits + 1)
        expect.fail(`around ${middle}`);
    }
  });

  test("any double goes to its nearest neighbour", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), (value) => {
        expect(toBits(value)).toBe(nearest(value, toNumber, infinity));
      }),
    );
  });

  test("in bulk as one by one, from floats and from doubles", () => {
    fc.assert(
      fc.property(fc.float64Array({ maxLength: 20 }), (doubles) => {
        const same = (found: Uint16Array, input: ArrayLike<number>) => {
          for (let i = 0; i < input.length; i++) if (!Number.isNaN(input[i]!)) expect(found[i]).toBe(toBits(input[i]!));
        };
        same(many(doubles), doubles);
        same(many(new Float32Array(doubles)), new Float32Array(doubles));
      }),
    );
  });
});

test("what overflows is infinite and counted; infinities and NaNs that were there are not", () => {
  const loss = { overflowed: 0 };
  const inputs = Float32Array.of(65504, 65519.99, 65520, -1e6, Infinity, Number.NaN, 3.4e38);
  expect([...f16ToF32(toF16(inputs, undefined, loss))]).toEqual([
    65504,
    65504,
    Infinity,
    -Infinity,
    Infinity,
    Number.NaN,
    Infinity,
  ]);
  expect(loss.overflowed).toBe(3);
  toBf16(Float32Array.of(3.4e38, 3.38e38, 1), undefined, loss);
  expect(loss.overflowed).toBe(4);
});
