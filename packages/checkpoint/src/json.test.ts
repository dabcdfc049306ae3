import { expect, test } from "vitest";
import { duplicateKey, parseJson } from "./json.ts";

test("reads what Python's json module writes", () => {
  expect(parseJson('\uFEFF{"a": [0.0, Infinity, -Infinity], "b": NaN, "c": "NaN \\" Infinity"}')).toEqual({
    a: [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    b: null,
    c: 'NaN " Infinity',
  });
  expect(() => parseJson('{"a": NaNo}')).toThrow(SyntaxError);
  expect(() => parseJson("{")).toThrow(SyntaxError);
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
