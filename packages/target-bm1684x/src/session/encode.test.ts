import { expect, test } from "vitest";
import { integers, promptMask, toFloats, tokenMask } from "./encode.ts";

const shown = (bytes: Uint8Array, dtype: "f32" | "f16" | "bf16") =>
  [...toFloats(bytes, dtype)].map((x) => (x === 0 ? 1 : 0));

test.each(["f32", "f16", "bf16"] as const)("a prompt's token sees itself and what is before it (%s)", (dtype) => {
  expect(shown(promptMask(dtype, 3), dtype)).toEqual([1, 0, 0, 1, 1, 0, 1, 1, 1]);
  expect(shown(promptMask(dtype, 4, 2), dtype)).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
});

test("a token sees what is held, and itself in the last place", () => {
  expect(shown(tokenMask("f16", 6, 0), "f16")).toEqual([0, 0, 0, 0, 0, 1]);
  expect(shown(tokenMask("f16", 6, 3), "f16")).toEqual([1, 1, 1, 0, 0, 1]);
  expect(shown(tokenMask("f16", 6, 5, 2), "f16")).toEqual([0, 0, 0, 0, 1, 1]);
});

test("hidden places lie at the same depth in every type", () => {
  for (const dtype of ["f32", "f16", "bf16"] as const)
    expect(toFloats(promptMask(dtype, 2), dtype)[1]! / -10000).toBeCloseTo(1, 2);
});

test("whole numbers are padded with zeros", () => {
  expect([...new Int32Array(integers([7, -1], 4).buffer)]).toEqual([7, -1, 0, 0]);
});
