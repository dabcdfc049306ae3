import { bf16ToNumber } from "@llm/tensor";
import { describe, expect, test } from "vitest";
import { halve } from "./halve.ts";

const LARGEST = 65504;

/** What the language's own conversion says, clipped. */
function expected(value: number): number {
  const half = Math.f16round(value);
  return Number.isFinite(half) || Number.isNaN(value) ? half : Math.sign(half) * LARGEST;
}

describe("halve", () => {
  test("every bf16 number becomes the nearest fp16 number", () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const into = new Uint16Array(65536);
    const clipped = halve(new Uint8Array(bits.buffer), "bf16", into);
    const values = Array.from(bits, bf16ToNumber);
    expect(Array.from(new Float16Array(into.buffer))).toEqual(values.map(expected));
    expect(clipped).toBe(values.filter((value) => Math.abs(value) >= 65520).length);
  });

  test.each([
    [[1, 2, 1e6], 1],
    [[1e6, 2], 1],
    [[2, -1e6, 3, 4], 1],
    [[65504, 2, 3], 0],
  ])("%j has %i to clip", (values, count) => {
    const bits = Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (word) => word >>> 16);
    expect(halve(new Uint8Array(bits.buffer), "bf16", new Uint16Array(values.length))).toBe(count);
  });

  test("fp32 numbers too, those on the edges included", () => {
    const edges = [
      65504,
      65519.996,
      65520,
      65536,
      1e38,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      0,
      2 ** -24,
      2 ** -25,
      2 ** -26,
    ];
    const values = Float32Array.from([...edges, ...edges.map((value) => -value), 1 + 2 ** -11, 1 + 3 * 2 ** -11]);
    const into = new Uint16Array(values.length);
    const clipped = halve(new Uint8Array(values.buffer), "f32", into);
    expect(Array.from(new Float16Array(into.buffer))).toEqual(Array.from(values, expected));
    expect(clipped).toBe(8);
  });

  test("nothing is clipped where everything fits", () => {
    const values = Float32Array.of(65504, -65504, 1);
    expect(halve(new Uint8Array(values.buffer), "f32", new Uint16Array(3))).toBe(0);
  });
});
