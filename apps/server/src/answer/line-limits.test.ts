import { describe, expect, it } from "vitest";
import { LineLimits } from "./line-limits.ts";

/** What an answer comes to, in pieces of any size. */
function answers(text: string, indent: number): string[] {
  return [1, 2, 5, text.length].map((size) => {
    const limits = new LineLimits({ indent });
    let said = "";
    for (let at = 0; at < text.length; at += size) said += limits.push(text.slice(at, at + size));
    return said + limits.end();
  });
}

describe("an answer that keeps its indentation", () => {
  it.each([
    ["return 1\n    x = 2\ny = 3", 4, "return 1\n    x = 2"],
    ["return 1\n\n    x = 2\n  y", 4, "return 1\n\n    x = 2"],
    ["return 1\n\t\ty", 2, "return 1\n\t\ty"],
    ["return 1\n   \n", 4, "return 1\n   \n"],
    ["return 1\n \n\ny", 4, "return 1"],
    ["return 1\r\n\r\n    x\r\ny", 4, "return 1\r\n\r\n    x\r"],
    ["a\nb", 0, "a\nb"],
  ])("ends before a line that is indented less, however it comes: %j at %d", (text, indent, expected) => {
    for (const said of answers(text, indent)) expect(said).toBe(expected);
  });
});

describe("an answer that takes too long", () => {
  it("ends with the line that it is in", () => {
    let now = 0;
    const limits = new LineLimits({ ms: 100 }, () => now);
    expect(limits.push("a\nb")).toBe("a\nb");
    now = 200;
    expect([limits.push("c"), limits.over]).toEqual(["c", false]);
    expect([limits.push("d\ne"), limits.over]).toEqual(["d\n", true]);
    expect(limits.push("f")).toBe("");
    expect(limits.text).toBe("a\nbcd\n");
  });
});
