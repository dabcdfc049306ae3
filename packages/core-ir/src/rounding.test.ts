import { expect, test } from "vitest";
import { decode16, encode16, roundTo } from "./rounding.ts";

test.each(["bf16", "f16"] as const)("a NaN stays one in %s, whatever its payload", (dtype) => {
  const nans = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0x7f80ffff, 0x7fc00000, 0x7fffffff).buffer);
  expect([...decode16(dtype, encode16(dtype, nans))].every(Number.isNaN)).toBe(true);
  expect([...roundTo(dtype, nans)].every(Number.isNaN)).toBe(true);
  expect([...roundTo(dtype, Float32Array.of(Infinity, -Infinity))]).toEqual([Infinity, -Infinity]);
});
