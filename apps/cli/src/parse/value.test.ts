import { describe, expect, it } from "vitest";
import type { CliOption } from "../definition/option.ts";
import { parseIds, parseValue } from "./value.ts";

const number: CliOption = { kind: "number", doc: "" };
const integer: CliOption = { kind: "number", whole: true, min: 1, max: 8, doc: "" };
const list: CliOption = { kind: "list", doc: "" };
const boolean: CliOption = { kind: "boolean", doc: "" };
const choice: CliOption = { kind: "choice", choices: ["F16", "int8"], doc: "" };

describe("values", () => {
  it.each<[CliOption, string, unknown]>([
    [number, "0.5", 0.5],
    [number, "-3", -3],
    [integer, "8", 8],
    [{ kind: "number", whole: true, doc: "" }, "-5", -5],
    [list, "0,1,2", [0, 1, 2]],
    [list, "[0, 1]", [0, 1]],
    [list, "a, 2b", ["a", "2b"]],
    [list, "[]", []],
    [boolean, "TRUE", true],
    [boolean, "0", false],
    [choice, "f16", "F16"],
    [{ kind: "string", doc: "" }, " as it is ", " as it is "],
  ])("%j reads %j", (option, text, value) => expect(parseValue(option, text, "--x")).toEqual(value));

  it.each<[CliOption, string, string]>([
    [number, "one", '--x is a number, not "one"'],
    [number, "", '--x is a number, not ""'],
    [number, "Infinity", '--x is a number, not "Infinity"'],
    [integer, "1.5", '--x is a whole number, not "1.5"'],
    [
      { kind: "number", whole: true, doc: "" },
      "9007199254740993",
      "--x is between -9007199254740991 and 9007199254740991, not 9007199254740993",
    ],
    [integer, "0", "--x is between 1 and 8, not 0"],
    [{ kind: "number", min: 0, doc: "" }, "-1", "--x is at least 0, not -1"],
    [{ kind: "number", above: 0, doc: "" }, "0", "--x is above 0, not 0"],
    [boolean, "maybe", '--x is true or false, not "maybe"'],
    [choice, "int2", '--x is one of F16, int8, not "int2"'],
  ])("%j refuses %j", (option, text, message) => expect(() => parseValue(option, text, "--x")).toThrow(message));

  it("reads token ids, and only those", () => {
    expect([...parseIds("[1, 2,3]", "--ids")]).toEqual([1, 2, 3]);
    for (const bad of ["1,x", "1,-2", "1.5", "99999999999"]) expect(() => parseIds(bad, "--ids")).toThrow("token ids");
  });
});
