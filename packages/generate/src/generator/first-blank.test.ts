import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { goldenRoot } from "@llm/fixtures";
import { openNull } from "@llm/target/null";
import { createTokenizer } from "@llm/tokenizer-bpe";
import { describe, expect, it } from "vitest";
import { Generator } from "./generator.ts";

describe.each(["spm_llama2", "spm_llama_metaspace", "spm_unigram_bytefb", "bpe_gpt2"])(
  "with the tokenizer %s",
  (name) => {
    const folder = join(goldenRoot, "tokenizers", name);
    const files = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))] as const);
    const tokenizer = createTokenizer(Object.fromEntries(files));
    const open = (): Generator =>
      new Generator({ session: openNull({ vocab: tokenizer.vocabSize, slots: 8 }), tokenizer });

    it("an answer is what it is held to, the blank at its beginning included", async () => {
      const generator = open();
      const asked = Array.from({ length: 8 }, (_, seed) => ({ choice: [" yes", " no", "{1}"], temperature: 1, seed }));
      const answers = await generator.generate(
        asked.map(() => "Answer:"),
        asked,
      );
      for (const { text } of answers) expect([" yes", " no", "{1}"]).toContain(text);
      const number = await generator.generate("Answer:", { regex: " [0-9]{3}" });
      expect(number.text).toMatch(/^ [0-9]{3}$/);
      await generator.close();
    });

    it("an answer that goes on in a text is what stands behind the prompt in it", async () => {
      const generator = open();
      const textOf = (id: number) => new TextDecoder().decode(tokenizer.tokenBytes(id));
      const ids = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
      const first = ids.find((id) => /^ [a-z]+$/.test(textOf(id)))!;
      const allow = (): Uint32Array => {
        const mask = new Uint32Array(Math.ceil(tokenizer.vocabSize / 32));
        mask[first >> 5] = 1 << (first & 31);
        return mask;
      };
      const goesOn = await generator.generate("My name is", { allow, maxNewTokens: 1, inText: true });
      expect(goesOn.text).toBe(textOf(first));
      await generator.close();
    });
  },
);
