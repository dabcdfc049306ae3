import { Generator } from "@llm/toolchain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { measure } from "./inference-speed.ts";
import { readmePrompt, writeReadme } from "./readme-generation.ts";
import { Assistant } from "./technical-assistant.ts";

let generator: Generator;
beforeAll(async () => {
  generator = await Generator.fromPretrained("demo", { batchSize: 4 });
});
afterAll(() => generator?.close());

describe("examples, with the checkpoint that ships", () => {
  it("README generation: the same text every time, without the end mark, for a file of any length", async () => {
    const source = "import os\n\n\ndef walk(path):\n    return os.listdir(path)\n";
    const write = async (text: string): Promise<string> =>
      (await Array.fromAsync(writeReadme(generator, "walk.py", text, 24))).join("");
    const text = await write(source);
    expect(text.trim()).not.toBe("");
    expect(text).not.toContain('"""');
    expect(await write(source)).toBe(text);
    expect((await write(source.repeat(200))).length).toBeGreaterThan(0);
    expect(readmePrompt("walk.py", source)).toContain("walk\n====\n");
  });

  it("technical assistant: remembers the conversation, and doesn't compute it again", async () => {
    const assistant = new Assistant(generator);
    const pieces: string[] = [];
    const first = await assistant.ask("How do I sort a list?", (piece) => void pieces.push(piece), 16);
    expect(pieces.join("").trim()).toBe(first.text);
    const second = await assistant.ask("And backwards?", undefined, 16);
    expect(second.usage.promptTokens).toBeGreaterThan(first.usage.promptTokens);
    expect(second.usage.cachedTokens).toBeGreaterThan(first.usage.promptTokens - 8);
    expect(second.text).not.toMatch(/Human:/);
  });

  it("inference speed: counts every token of every sequence", async () => {
    const { batch, seconds, tokensPerSecond } = await measure(generator, 3, 8);
    expect(batch).toBe(3);
    expect(tokensPerSecond * seconds).toBeCloseTo(24, 6);
  });
});
