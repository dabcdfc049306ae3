import { expect, test } from "vitest";
import { convert } from "./convert.ts";
import { tensor } from "./tensor.ts";

test("fp16 and bf16 go through their values, not their bits", () => {
  const half = convert(tensor("f32", [3], Float32Array.of(1, -2.5, 0.1)), "f16");
  expect(half).toMatchObject({ dtype: "f16", shape: [3] });
  expect([...half.data]).toEqual([0x3c00, 0xc100, 0x2e66]);
  expect([...convert(half, "bf16").data]).toEqual([0x3f80, 0xc020, 0x3dcd]);
  expect([...convert(half, "f64").data]).toEqual([1, -2.5, 0.0999755859375]);
});

test("a double is rounded once", () => {
  // Just above the middle of two bf16 numbers: by way of fp32 it would be the middle, and go down.
  const above = 1 + 2 ** -8 + 2 ** -40;
  expect([...convert(tensor("f64", [1], Float64Array.of(above)), "bf16").data]).toEqual([0x3f81]);
  const aboveHalf = 1 + 2 ** -11 + 2 ** -40;
  expect([...convert(tensor("f64", [1], Float64Array.of(aboveHalf)), "f16").data]).toEqual([0x3c01]);
});

test("overflow is counted over calls", () => {
  const loss = { overflowed: 0 };
  convert(tensor("bf16", [2], Uint16Array.of(0x7f00, 0x3f80)), "f16", loss);
  convert(tensor("f64", [2], Float64Array.of(1e300, 1)), "f32", loss);
  expect(loss.overflowed).toBe(2);
});

test("integers never wrap and never lose a fraction", () => {
  const ids = tensor("i64", [2], BigInt64Array.of(5n, -7n));
  expect([...convert(ids, "i32").data]).toEqual([5, -7]);
  expect([...convert(ids, "f16").data]).toEqual([0x4500, 0xc700]);
  expect(() => convert(ids, "u8")).toThrow("-7 can't be held by u8");
  expect(() => convert(tensor("i64", [1], BigInt64Array.of(2n ** 40n)), "i32")).toThrow("can't be held by i32");
  expect(() => convert(tensor("f32", [1], Float32Array.of(1.5)), "i64")).toThrow("1.5 can't be held by i64");
  expect(() => convert(tensor("u8", [1], Uint8Array.of(2)), "bool")).toThrow("2 can't be held by bool");
  expect([...convert(tensor("bool", [2], Uint8Array.of(0, 1)), "f32").data]).toEqual([0, 1]);
});

test("what i64 can't hold is refused, up to its last value", () => {
  for (const value of [1e20, 2 ** 63, -(2 ** 63) - 2048, Infinity, Number.NaN])
    expect(() => convert(tensor("f64", [1], Float64Array.of(value)), "i64")).toThrow(`${value} can't be held by i64`);
  expect(() => convert(tensor("f32", [1], Float32Array.of(2 ** 63)), "i64")).toThrow("can't be held by i64");
  const ends = Float64Array.of(-(2 ** 63), 2 ** 63 - 1024);
  expect([...convert(tensor("f64", [2], ends), "i64").data]).toEqual([-(2n ** 63n), 2n ** 63n - 1024n]);
});

test.each(["f64", "f32", "bf16"] as const)("an i64 that no double holds doesn't become a wrong %s", (dtype) => {
  const odd = tensor("i64", [1], BigInt64Array.of(2n ** 53n + 1n));
  expect(() => convert(odd, dtype)).toThrow("9007199254740993 can't be held by f64");
  const even = convert(tensor("i64", [1], BigInt64Array.of(-(2n ** 62n))), dtype);
  expect([...convert(even, "f64").data]).toEqual([-(2 ** 62)]);
});
