import { expect, test } from "vitest";
import { impliedDefaults } from "./implied-defaults.ts";

test.each([
  [{}, {}],
  [{ format: "int4" }, { mode: "int4" }],
  [{ format: "W8F16" }, { mode: "int8" }],
  [{ format: "fp16" }, { mode: "F16" }],
  [{ format: "F16", mode: "fp16" }, { mode: "F16" }],
] as const)("%j implies %j", (given, implied) => {
  expect(impliedDefaults(given as never)).toEqual(implied);
});

test("two formats at once are refused", () => {
  expect(() => impliedDefaults({ format: "int4", mode: "int8" })).toThrow(
    "--format int4 and --mode int8 say two things",
  );
});
