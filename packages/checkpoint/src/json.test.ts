import { expect, test } from "vitest";
import { duplicateKey, parseJson } from "./json.ts";
import { MAX_CONFIG_BYTES } from "./limits.ts";

test("reads what Python's json module writes", () => {
  expect(parseJson('\uFEFF{"a": [0.0, Infinity, -Infinity], "b": NaN, "c": "NaN \\" Infinity"}')).toEqual({
    a: [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    b: null,
    c: 'NaN " Infinity',
  });
  expect(() => parseJson('{"a": NaNo}')).toThrow(SyntaxError);
  expect(() => parseJson("{")).toThrow(SyntaxError);
});

// A scan that starts again at every quote takes half a minute for these, one that doesn't some milliseconds.
test.each([
  ["a string that doesn't end", (size: number) => '{"a": "'.padEnd(size, '\\"')],
  ["one that a broken escape ends", (size: number) => `${'{"a": "'.padEnd(size, '\\"')}\\\n`],
  ["a string that doesn't end, after NaN", (size: number) => '{"n": NaN, "a": "'.padEnd(size, '\\"')],
])("a broken file is refused in time proportional to its size: %s", (_, textOf) => {
  const text = textOf(256 * 1024);
  const before = process.cpuUsage();
  expect(() => parseJson(text)).toThrow(SyntaxError);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(2);
});

test("a string may be long where NaN is somewhere", () => {
  const long = "x".repeat(MAX_CONFIG_BYTES);
  expect(parseJson(`{"a": NaN, "b": "${long}"}`)).toEqual({ a: null, b: long });
});

test.each([
  ['{"a":{"x":1},"b":{"x":1}}', undefined],
  ['{"a":1,"b":"a","a":2}', "a"],
  ['{"a":1, "\\u0061" : 2}', "a"],
  ['{"q\\"{":1,"b":["a","a"],"c":{"b":1}}', undefined],
  ["{}", undefined],
])("duplicate keys of %s: %s", (text, expected) => {
  expect(duplicateKey(text)).toBe(expected);
});

test("duplicate keys of inner objects", () => {
  expect(duplicateKey('{"a":{"x":1,"y":2},"b":{"x":1}}', 2)).toBeUndefined();
  expect(duplicateKey('{"a":{"x":1,"y":2},"b":{"z":[1],"z":1}}', 2)).toBe("z");
});
