import { expect, test } from "vitest";
import { applyOverrides, parseOverride } from "./overrides.ts";

test.each([
  ["position=alibi", ["position", "alibi"]],
  ["norm_head=true", ["norm_head", true]],
  ["rope_scaling.factor=2.5", ["rope_scaling.factor", 2.5]],
  ["name=a=b", ["name", "a=b"]],
  ["rope_scaling=null", ["rope_scaling", null]],
  ['rope_scaling={"type":"linear"}', ["rope_scaling", { type: "linear" }]],
])("%s", (text, expected) => {
  expect(parseOverride(text)).toEqual(expected);
});

test("a dotted path reaches into objects and lists, makes what is missing, and leaves the original alone", () => {
  const config = { a: { b: 1, c: [1, { d: 2 }] }, e: null };
  expect(applyOverrides(config, { "a.b": 5, "a.c.1.d": 6, "e.f.g": true, h: "x" })).toEqual({
    a: { b: 5, c: [1, { d: 6 }] },
    e: { f: { g: true } },
    h: "x",
  });
  expect(config).toEqual({ a: { b: 1, c: [1, { d: 2 }] }, e: null });
});

test("what can't be set is an error that names the path", () => {
  expect(() => applyOverrides({ a: 1 }, { "a.b": 2 })).toThrow(/"a\.b"/);
  expect(() => applyOverrides({}, { "a..b": 2 })).toThrow(/"a\.\.b"/);
  expect(() => parseOverride("=3")).toThrow(/key=value/);
});

test("a key named __proto__ pollutes nothing", () => {
  const config = applyOverrides({}, { "__proto__.polluted": true });
  expect(Object.hasOwn(config, "__proto__")).toBe(true);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
