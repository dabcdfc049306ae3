import { expect, test } from "vitest";
import { canonicalText } from "./canonical.ts";
import { leavesOf } from "./leaves.ts";
import { shapeOf } from "./shape-of.ts";
import { simplify } from "./simplify.ts";
import { weights as w } from "./weights.ts";

const qkv = w.tensor("qkv", [12, 4]);

test("shapes follow the operations", () => {
  expect(shapeOf(w.slice(qkv, -2, 2, 5))).toEqual([3, 4]);
  expect(shapeOf(w.permute(w.reshape(qkv, [3, 4, 4]), [1, 0, 2]))).toEqual([4, 3, 4]);
  expect(shapeOf(w.concat([qkv, w.slice(qkv, 1, 0, 1)], 1))).toEqual([12, 5]);
  expect(shapeOf(w.stack([qkv, qkv]))).toEqual([2, 12, 4]);
  expect(shapeOf(w.rowNorm(qkv))).toEqual([12]);
  expect(shapeOf(w.encode(w.constant("f32", [], [1]), { format: "int8" }))).toEqual([]);
});

test.each([
  [w.slice(qkv, 0, 4, 13), "slice 4…13 of qkv: axis 0 has 12 entries"],
  [w.slice(qkv, 2, 0, 1), "there is no axis 2 among 2"],
  [w.permute(qkv, [0, 0]), "permute of qkv: [0, 0] doesn't name each of 2 axes once"],
  [w.reshape(qkv, [7, 7]), "reshape [7, 7] of qkv: its operand is [12, 4]"],
  [w.stack([qkv, w.tensor("k", [4])]), "stack of qkv and k: its parts differ: [12, 4] and [4]"],
  [w.concat([], 0), "there is no axis 0 among 0"],
  [w.either(), "it is made of nothing"],
  [w.constant("f32", [3], [1]), "constant [3]: 1 values don't fill it"],
])("what doesn't fit is said: %#", (expr, message) => {
  expect(() => shapeOf(expr)).toThrow(message);
});

test("leaves are all tensors that may be read, once each", () => {
  const expr = w.stack([w.either(qkv, w.tensor("other", [12, 4])), qkv]);
  expect(leavesOf(expr).map(({ name }) => name)).toEqual(["qkv", "other"]);
});

test("equal expressions have one text, whatever the order of their fields", () => {
  const other = { shape: [12, 4], name: "qkv", op: "tensor" } as const;
  expect(canonicalText(other)).toBe('{"name":"qkv","op":"tensor","shape":[12,4]}');
  expect(canonicalText(other)).toBe(canonicalText(qkv));
  expect(canonicalText(w.slice(qkv, 0, 0, 1))).not.toBe(canonicalText(w.slice(qkv, 0, 0, 2)));
  expect(canonicalText(w.constant("f32", [2], [-0, Number.NEGATIVE_INFINITY]))).toContain('["-0","-Infinity"]');
});

test("slices move to what they cut, and chains become one", () => {
  const [a, b] = [w.tensor("a", [4, 6]), w.tensor("b", [5, 6])];
  expect(simplify(w.slice(w.concat([a, b], 0), 0, 4, 9))).toEqual(b);
  expect(simplify(w.slice(w.concat([a, b], 0), 0, 1, 3))).toEqual(w.slice(a, 0, 1, 3));
  expect(simplify(w.slice(w.slice(a, 0, 1, 4), 0, 1, 2))).toEqual(w.slice(a, 0, 2, 3));
  expect(simplify(w.permute(w.permute(a, [1, 0]), [1, 0]))).toEqual(a);
  expect(simplify(w.slice(w.permute(a, [1, 0]), 0, 1, 2))).toEqual(w.permute(w.slice(a, 1, 1, 2), [1, 0]));
  expect(simplify(w.concat([w.slice(a, 0, 0, 2), w.slice(a, 0, 2, 4)], 0))).toEqual(a);
  expect(simplify(w.reshape(w.reshape(a, [24]), [4, 6]))).toEqual(a);
  expect(simplify(w.slice(w.stack([a, a]), 1, 0, 2))).toEqual(w.stack([w.slice(a, 0, 0, 2), w.slice(a, 0, 0, 2)]));
});
