import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../open.ts";
import { type GgufInput, ggufFile, TINY_LLAMA } from "../testing/gguf-file.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gguf-ends-"));
});
afterAll(() => rm(root, { recursive: true }));

async function endsOf(metadata: Readonly<Record<string, GgufInput>>): Promise<unknown> {
  const path = join(root, "model.gguf");
  await writeFile(path, ggufFile({ ...TINY_LLAMA, ...metadata }));
  const checkpoint = await openCheckpoint(path);
  const file = await checkpoint.readJson("generation_config.json");
  await checkpoint.close();
  expect(file).toEqual(checkpoint.generationConfig);
  return checkpoint.generationConfig?.eos_token_id;
}

/** Vocabularies with their controls as converters write them: one end in the metadata, the end of a turn by its name alone. */
test.each([
  ["Phi-3", ["<unk>", "<|endoftext|>", "<|assistant|>", "a", "<|end|>", "<|user|>"], 1, [1, 4]],
  ["Gemma", ["<pad>", "<eos>", "<bos>", "a", "<start_of_turn>", "<end_of_turn>", "</s>"], 1, [1, 5]],
  ["Llama 3 as first published", ["a", "<|end_of_text|>", "<|eot_id|>", "<|end_header_id|>"], 1, [1, 2]],
  ["ChatML", ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "endoftext"], 2, [2, 0]],
  ["DeepSeek", ["a", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"], 2, 2],
  ["nothing but what the metadata says", ["<s>", "</s>", "<|endoftext", "endoftext|>", "xendoftextxx"], 1, 1],
])("ends turns of %s", async (_, tokens, eos, ends) => {
  expect(
    await endsOf({
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.eos_token_id": eos,
    }),
  ).toEqual(ends);
});

test("takes what the metadata says of turns besides", async () => {
  const tokens = ["a", "b", "c", "<|im_end|>"];
  const said = { "tokenizer.ggml.eos_token_id": 0, "tokenizer.ggml.eot_token_id": 1, "tokenizer.ggml.eom_token_id": 2 };
  expect(await endsOf({ "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": tokens, ...said })).toEqual([
    0, 1, 2, 3,
  ]);
});
