import { describe, expect, it } from "vitest";
import { TextLookup } from "./text-lookup.ts";

const ids = (text: string): number[] => Array.from(text, (letter) => letter.codePointAt(0)!);

/** How many tokens of `answer` are guessed right, and how many wrong, when it is said after `prompt`. */
function followed(prompt: string, answer: string, prediction = ""): { right: number; wrong: number } {
  const lookup = new TextLookup(ids(prompt), ids(prediction));
  const counts = { right: 0, wrong: 0 };
  for (const token of ids(answer)) {
    const [guess] = lookup.guess(1);
    const right = lookup.push(token);
    expect(right).toBe(guess === undefined ? undefined : guess === token);
    if (right !== undefined) counts[right ? "right" : "wrong"]++;
  }
  return counts;
}

const code = Array.from({ length: 20 }, (_, i) => `let total${i} = sum(values[${i}], ${i * 7});\n`).join("");

describe("what is guessed from the text", () => {
  it("follows a text that is said again, from its third token on", () => {
    expect(followed("The quick brown fox. ", "The quick brown fox. ").right).toBe(18);
  });

  it("follows a prediction from its first token on", () => {
    expect(followed("Say it: ", "another text entirely", "another text entirely")).toEqual({ right: 21, wrong: 0 });
  });

  it("finds back after changed, inserted and removed tokens", () => {
    const renamed = code.replaceAll("values", "numbers");
    const { right, wrong } = followed(code, renamed);
    expect(right / renamed.length).toBeGreaterThan(0.75);
    expect(wrong / renamed.length).toBeLessThan(0.15);
    const removed = code.replaceAll("let ", "");
    expect(followed(code, removed).right / removed.length).toBeGreaterThan(0.8);
  });

  it("makes a change again wherever the same tokens come, until it is not made", () => {
    // One token for one, two for one, and none: three mistakes at each, at most, however often it comes.
    const rename = (name: string): string => code.replaceAll("v", name);
    for (const name of ["x", "yz", ""]) {
      const { right, wrong } = followed("", rename(name), code);
      expect(wrong).toBeLessThanOrEqual(3);
      expect(right / rename(name).length).toBeGreaterThan(0.98);
    }
    const half = code.length / 2;
    const undone = code.slice(0, half).replaceAll("v", "x") + code.slice(half);
    expect(followed("", undone, code).wrong).toBeLessThanOrEqual(6);
  });

  it("goes on in circles as long as wanted", () => {
    const lookup = new TextLookup(ids("abcabcabc"));
    expect(String.fromCodePoint(...lookup.guess(8))).toBe("abcabcab");
  });

  it("guesses nothing where nothing repeats", () => {
    expect(followed("abcdefgh", "ijklmnopqrstuvwxyz")).toEqual({ right: 0, wrong: 0 });
  });

  it("keeps finding its place in long texts", () => {
    const long = Array.from({ length: 5000 }, (_, i) => String.fromCodePoint(65 + ((i * i * 7919) % 9973))).join("");
    expect(followed(long, long.slice(1000, 2000)).right).toBeGreaterThan(900);
  });
});
