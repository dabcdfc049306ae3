import { describe, expect, it } from "vitest";
import { bytes, count, rate, seconds } from "./units.ts";

describe("units", () => {
  it.each([
    [0.0004, "0 ms"],
    [0.042, "42 ms"],
    [0.0999, "0.1 s"],
    [1.94, "1.9 s"],
    [9.96, "10 s"],
    [59.7, "1 min 00 s"],
    [125, "2 min 05 s"],
  ])("%d seconds are %s", (value, text) => expect(seconds(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [10_916_040, "10.9 MB"],
    [999_600, "1.0 MB"],
    [31_000_000_000, "31.0 GB"],
    [310e9, "310 GB"],
  ])("%d bytes are %s", (value, text) => expect(bytes(value)).toBe(text));

  it("counts as people do", () => {
    expect([count(12), count(5_456_128), count(15.5e9), count(999_999)]).toEqual(["12", "5.5 M", "15.5 B", "1.0 M"]);
    expect([rate(12.34), rate(1234.5)]).toEqual(["12.3", "1,235"]);
  });
});
