import { expect, test } from "vitest";
import { weights as w } from "../expr/weights.ts";
import { codecOf, encodeBy, type FormatRule, formatFor } from "./index.ts";

const rules: readonly FormatRule[] = [
  { match: "lm_head.*", format: { format: "int8" } },
  { match: "*.0.*.weight", format: { format: "mxint8" } },
  { match: "*norm*", format: null },
  { match: "*.weight", format: { format: "int4", group: 64 } },
];

test.each([
  ["lm_head.weight", "int8"],
  ["model.layers.0.mlp.up_proj.weight", "mxint8"],
  ["model.layers.10.mlp.up_proj.weight", "int4"],
  ["model.norm.weight", undefined],
  ["model.layers.3.mlp.up_proj.bias", undefined],
  ["weight", undefined],
])("the first rule that matches %s decides: %s", (name, format) => {
  expect(formatFor(rules, name)?.format).toBe(format);
});

test("pieces of a pattern don't overlap in a name", () => {
  const rule = (match: string): readonly FormatRule[] => [{ match, format: { format: "int8" } }];
  expect(formatFor(rule("ab*ba"), "aba")).toBeUndefined();
  expect(formatFor(rule("ab*ba"), "abba")).toBeDefined();
  expect(formatFor(rule("*"), "")).toBeDefined();
  expect(formatFor(rule("a*b*c"), "a-b-b-c")).toBeDefined();
});

test("a weight is rounded as its tensor's rule says", () => {
  const up = w.tensor("model.layers.3.up.weight", [4, 64]);
  expect(encodeBy(rules, up)).toEqual(w.encode(up, { format: "int4", group: 64 }));
  const norm = w.tensor("norm.weight", [4]);
  expect(encodeBy(rules, norm)).toBe(norm);
  expect(encodeBy(rules, w.constant("f32", [], [1]))).toEqual(w.constant("f32", [], [1]));
});

test("other names for the same format", () => {
  expect(codecOf({ format: "mxfp6" })).toBe(codecOf({ format: "mxfp6_e2m3" }));
});
