import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { onePrompt, promptsOf } from "./prompts.ts";

const folder = mkdtempSync(join(tmpdir(), "prompts-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "prompts.txt");
writeFileSync(file, "one\r\ntwo\n\nthree\n");

const notes: string[] = [];
const of = (options: Parameters<typeof promptsOf>[0]) => promptsOf(options, (line) => notes.push(line));

describe("prompts", () => {
  it("are split at | only for a batch", () => {
    expect(of({ prompt: ["a|b"] })).toEqual(["a|b"]);
    expect(of({ prompt: ["a|b"], batchSize: 2 })).toEqual(["a", "b"]);
  });

  it("are all that --prompt says, however often", () => {
    expect(of({ prompt: ["a", "b|c"] })).toEqual(["a", "b|c"]);
    expect(of({ prompt: ["a", "b|c"], batchSize: 3 })).toEqual(["a", "b", "c"]);
    expect(notes).toEqual([]);
    expect(of({ prompt: ["a", "b"], batchSize: 1 })).toEqual(["a"]);
    expect(notes.splice(0)).toEqual([expect.stringContaining("2 prompts and a batch of 1")]);
    expect(onePrompt(["a"])).toBe("a");
    expect(() => onePrompt(["a", "b"])).toThrow("given more than once");
  });

  it("are repeated or cut to the batch, and cutting is said", () => {
    expect(of({ prompt: ["a|b"], batchSize: 5 })).toEqual(["a", "b", "a", "b", "a"]);
    expect(notes).toEqual([]);
    expect(of({ promptsTxtFilePath: file, batchSize: 2 })).toEqual(["one", "two"]);
    expect(notes).toEqual([expect.stringContaining("3 prompts and a batch of 2")]);
  });

  it("come from a file, one a line", () => {
    expect(of({ promptsTxtFilePath: file, batchSize: 3 })).toEqual(["one", "two", "three"]);
    expect(of({})).toBeUndefined();
  });

  it("are refused when they make no sense", () => {
    expect(() => of({ prompt: ["a"], promptsTxtFilePath: file })).toThrow("say the same thing");
    expect(() => of({ promptsTxtFilePath: join(folder, "none.txt") })).toThrow("can't be read (ENOENT)");
    writeFileSync(join(folder, "empty.txt"), "\n \n");
    expect(() => of({ promptsTxtFilePath: join(folder, "empty.txt") })).toThrow("holds no prompt");
  });
});
