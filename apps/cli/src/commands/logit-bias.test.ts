import { describe, expect, it } from "vitest";
import { logitBiasOf } from "./logit-bias.ts";

describe("--logit-bias", () => {
  it.each<[string[], object]>([
    [["42=-5"], { 42: -5 }],
    [["1=0.5", "2=-inf", "3=-Infinity"], { 1: 0.5, 2: -Infinity, 3: -Infinity }],
    [['{"7": 1e1, "8": -100}', "7=2"], { 7: 2, 8: -100 }],
    [["{}"], {}],
  ])("reads %j", (given, biases) => expect(logitBiasOf(given)).toEqual(biases));

  it.each([
    "42",
    "42=",
    "=1",
    "x=1",
    "-1=2",
    "1.5=2",
    "1=2=3",
    "1=inf",
    "1=NaN",
    "{1:2}",
    '{"a": 1}',
    '{"1": "2"}',
    "[1]",
  ])("refuses %j", (text) => expect(() => logitBiasOf([text])).toThrow("takes a token's id and what its logit gains"));
});
