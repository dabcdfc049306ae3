import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AutoTokenizer, env } from "@huggingface/transformers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatMessage } from "./chat/template.ts";
import { createTokenizer } from "./create.ts";
import { goldenFiles, goldenNames } from "./testing/golden.ts";

// What users of transformers' AutoTokenizer get from the same files.
// It has no byte fallback for Unigram models: what is unknown stays one unknown token.
const names = goldenNames("tokenizer.json").filter((name) => name !== "spm_unigram_bytefb");
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tokenizers-"));
  for (const name of names) {
    await mkdir(join(folder, name));
    for (const [file, bytes] of Object.entries(goldenFiles(name))) writeFileSync(join(folder, name, file), bytes);
  }
  env.allowRemoteModels = false;
  env.localModelPath = folder;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const texts = ["Hello, world!", "def f(x):\n    return x  # ünï\n", "日本語 🙂 123456", "a<|im_end|>b <s> c", "  "];

describe.each(names)("%s", (name) => {
  it("encodes and decodes like AutoTokenizer", async () => {
    const peer = await AutoTokenizer.from_pretrained(name);
    const ours = createTokenizer(goldenFiles(name));
    for (const text of texts) {
      const ids = [...ours.encode(text)];
      expect(ids, text).toEqual(peer.encode(text));
      const skip = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
      expect(ours.decode(ids, { skipSpecialTokens: true }), text).toBe(peer.decode(ids, skip));
    }
  });
});

it("writes the prompts that apply_chat_template writes", async () => {
  const peer = await AutoTokenizer.from_pretrained("real_qwen2_5");
  const ours = createTokenizer(goldenFiles("real_qwen2_5"));
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Weather in Paris?" },
    { role: "assistant", content: "", tool_calls: [{ function: { name: "weather", arguments: { city: "Paris" } } }] },
    { role: "tool", content: "18 °C" },
  ] satisfies ChatMessage[];
  const tool = { type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } };
  for (const tools of [undefined, [tool]])
    for (const prompt of [true, false])
      expect(ours.applyChatTemplate(messages, { addGenerationPrompt: prompt, ...(tools ? { tools } : {}) })).toBe(
        peer.apply_chat_template(messages, {
          tokenize: false,
          add_generation_prompt: prompt,
          ...(tools ? { tools } : {}),
        }),
      );
});
