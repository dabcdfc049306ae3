import { expect, test } from "vitest";
import { readSlot, writeSlot } from "./saved-slot.ts";

const values = Float32Array.of(1, 2, 3, 4, 5, 6);
const saved = writeSlot({ tokens: 3, values }, "a model");

test("what was written is read, at any address", () => {
  const shifted = new Uint8Array(saved.length + 1);
  shifted.set(saved, 1);
  expect(readSlot(shifted.subarray(1), "a model", 2)).toEqual({ tokens: 3, values });
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["something else", new Uint8Array(200)],
  ["one that was cut off", saved.subarray(0, saved.length - 1)],
  ["one with a byte changed", saved.with(saved.length - 3, 77)],
  ["one with another length", saved.with(8, 2)],
])("%s is refused", (_, bytes) => {
  expect(() => readSlot(bytes, "a model", 2)).toThrow(expect.objectContaining({ code: "saved-invalid" }));
});

test("another model's is refused by name", () => {
  expect(() => readSlot(saved, "another", 2)).toThrow(/another model/);
});
