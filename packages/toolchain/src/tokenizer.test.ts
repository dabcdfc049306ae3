import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoModelFolder } from "@llm/demo-model";
import { describe, expect, it } from "vitest";
import { scratch } from "./testing/scratch.ts";
import { openTokenizer } from "./tokenizer.ts";

const { folder } = scratch();

/** GGUF's metadata of a vocabulary that is the printable ASCII characters. */
function vocabularyFile(): Buffer {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const texts = (values: readonly string[]) => Buffer.concat([u32(9), u32(8), u64(values.length), ...values.map(text)]);
  const ascii = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const entries = [
    [text("general.architecture"), u32(8), text("llama")],
    ...["block_count", "embedding_length", "context_length", "attention.head_count", "vocab_size"].map((key) => [
      text(`llama.${key}`),
      u32(4),
      u32(8),
    ]),
    [text("tokenizer.ggml.model"), u32(8), text("gpt2")],
    [text("tokenizer.ggml.pre"), u32(8), text("gpt-2")],
    [text("tokenizer.ggml.tokens"), texts([...ascii, "hi"])],
    [text("tokenizer.ggml.merges"), texts(["h i"])],
  ];
  return Buffer.concat([Buffer.from("GGUF"), u32(3), u64(0), u64(entries.length), ...entries.flat()]);
}

describe("the tokenizer of a MODEL", () => {
  it("is the GGUF file's, by its path and by its folder's", async () => {
    const place = join(folder, "gguf");
    mkdirSync(place);
    writeFileSync(join(place, "model.gguf"), vocabularyFile());
    for (const path of [join(place, "model.gguf"), place])
      expect([...(await openTokenizer(path)).encode("hi!")], path).toEqual([94, 0]);
    writeFileSync(join(place, "other.gguf"), vocabularyFile());
    await expect(openTokenizer(place)).rejects.toThrow(/holds several models \(model\.gguf, other\.gguf\)/);
  });

  it("lies beside weights that are named by themselves", async () => {
    const place = join(folder, "weights");
    cpSync(demoModelFolder, place, { recursive: true, filter: (name) => !name.endsWith(".safetensors") });
    symlinkSync(join(demoModelFolder, "model.safetensors"), join(place, "model.safetensors"));
    const [own, beside] = await Promise.all([openTokenizer(place), openTokenizer(join(place, "model.safetensors"))]);
    expect(beside.encode("def add(")).toEqual(own.encode("def add("));
  });

  it("is missed by name where there is none", async () => {
    const place = join(folder, "none");
    mkdirSync(place);
    await expect(openTokenizer(place)).rejects.toThrow(/has no tokenizer/);
  });
});
