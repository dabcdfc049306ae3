import { describe, expect, it } from "vitest";
import { layersOf } from "./layers.ts";

describe("layers", () => {
  it.each([
    ["0", { from: 0, to: 0 }],
    ["1-3", { from: 1, to: 3 }],
    [" 2 - 5 ", { from: 2, to: 5 }],
  ])("reads %j", (text, range) => expect(layersOf(text, 6)).toEqual(range));

  it.each(["", "-1", "3-1", "0-6", "6", "a-b", "1-2-3"])("refuses %j, saying what is right", (text) => {
    expect(() => layersOf(text, 6)).toThrow(/layers/);
  });
});
