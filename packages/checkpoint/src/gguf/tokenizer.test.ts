import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { goldenRoot } from "@llm/fixtures";
import { createTokenizer, type Tokenizer } from "@llm/tokenizer-bpe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../open.ts";
import { type GgufInput, ggufFile, TINY_LLAMA } from "../testing/gguf-file.ts";

// A golden tokenizer is written into GGUF metadata as converters do, and must come out of the files that are made from them.

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gguf-tokenizer-"));
});
afterAll(() => rm(root, { recursive: true }));

async function throughGguf(metadata: Readonly<Record<string, GgufInput>>): Promise<Tokenizer> {
  const path = join(root, "tokenizer.gguf");
  await writeFile(path, ggufFile({ ...TINY_LLAMA, ...metadata }));
  const checkpoint = await openCheckpoint(path);
  const files: Record<string, Uint8Array> = {};
  for (const name of checkpoint.files) files[name] = (await checkpoint.readFile(name))!;
  await checkpoint.close();
  return createTokenizer(files);
}

async function golden(name: string, file: string): Promise<Buffer> {
  const path = `${goldenRoot}/tokenizers/${name}/${file}`;
  return readFile(path).catch(async () => gunzipSync(await readFile(`${path}.gz`)));
}

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
  readonly ids_special?: readonly number[];
  readonly ids_bos?: readonly number[];
}

test.each([
  ["bpe_gpt2", "gpt-2"],
  ["bpe_llama3", "llama-bpe"],
  ["bpe_qwen2", "qwen2"],
  ["bpe_starcoder", "starcoder"],
  ["real_gpt2", "gpt-2"],
  ["real_qwen2_5", "qwen2"],
])("%s, cut as %s", async (name, pre) => {
  const { model, added_tokens } = JSON.parse((await golden(name, "tokenizer.json")).toString());
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(model.vocab)) tokens[id as number] = token;
  const types = Int32Array.from(tokens, () => 1);
  const all = new Int32Array(Math.max(tokens.length, ...added_tokens.map(({ id }: { id: number }) => id + 1))).fill(5);
  all.set(types);
  for (const { id, content, special } of added_tokens) {
    tokens[id] = content;
    all[id] = special ? 3 : 4;
  }
  const { cases } = JSON.parse((await golden(name, "golden.json")).toString()) as { cases: Case[] };
  const empty = cases.find(({ text }) => text === "");
  const [bos] = empty?.ids_special ?? [];
  const tokenizer = await throughGguf({
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": pre,
    "tokenizer.ggml.tokens": Array.from(tokens, (token, id) => token ?? `[PAD${id}]`),
    "tokenizer.ggml.token_type": all,
    "tokenizer.ggml.merges": model.merges.map((merge: string | string[]) =>
      Array.isArray(merge) ? merge.join(" ") : merge,
    ),
    ...(bos === undefined ? {} : { "tokenizer.ggml.bos_token_id": bos }),
  });
  expect(cases.length).toBeGreaterThan(50);
  for (const { text, ids, ids_special = ids } of cases) {
    expect([...tokenizer.encode(text, { addSpecialTokens: false })], text).toEqual(ids);
    expect([...tokenizer.encode(text)], text).toEqual(ids_special);
  }
});

test.each(["spm_llama2", "spm_gemma_like", "spm_unigram_bytefb", "spm_unigram_nfkc"])("%s", async (name) => {
  const proto = readProto(await golden(name, "tokenizer.model"));
  const pieces = proto.get(1)!.map((piece) => readProto(piece as Buffer));
  const trainer = readProto(proto.get(2)![0] as Buffer);
  const normalizer = readProto(proto.get(3)![0] as Buffer);
  const flag = (field: number) => (normalizer.get(field)?.[0] ?? 1) === 1;
  const id = (field: number, usual: number) => Number(trainer.get(field)?.[0] ?? usual) | 0;
  const special: Record<string, GgufInput> = {};
  for (const [key, value] of Object.entries({
    unknown: id(40, 0),
    bos: id(41, 1),
    eos: id(42, 2),
    padding: id(43, -1),
  }))
    if (value >= 0) special[`tokenizer.ggml.${key}_token_id`] = value;
  const charsMap = normalizer.get(2)?.[0] as Buffer | undefined;
  const tokenizer = await throughGguf({
    "tokenizer.ggml.model": trainer.get(3)?.[0] === 2 ? "llama" : "t5",
    "tokenizer.ggml.tokens": pieces.map((piece) => (piece.get(1)![0] as Buffer).toString()),
    "tokenizer.ggml.scores": Float32Array.from(
      pieces,
      (piece) => (piece.get(2)?.[0] as Buffer | undefined)?.readFloatLE() ?? 0,
    ),
    "tokenizer.ggml.token_type": Int32Array.from(pieces, (piece) => (piece.get(3)?.[0] as number | undefined) ?? 1),
    "tokenizer.ggml.add_space_prefix": flag(3),
    "tokenizer.ggml.remove_extra_whitespaces": flag(4),
    "tokenizer.ggml.add_bos_token": true,
    ...(charsMap && charsMap.length > 0 ? { "tokenizer.ggml.precompiled_charsmap": new Uint8Array(charsMap) } : {}),
    ...special,
  });
  const { cases } = JSON.parse((await golden(name, "golden.spm.json")).toString()) as { cases: Case[] };
  expect(cases.length).toBeGreaterThan(50);
  for (const { text, ids } of cases)
    expect([...tokenizer.encode(text, { addSpecialTokens: false, parseSpecial: false })], text).toEqual(ids);
});

test("templates of other names come along", async () => {
  const byte = (code: number) =>
    code < 0x21 || (code > 0x7e && code < 0xa1) || code === 0xad ? [] : [String.fromCharCode(code)];
  const tokens = Array.from({ length: 256 }, (_, code) => byte(code)).flat();
  const base = { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.merges": ["a b"] };
  const named = { "tokenizer.chat_template.tool_use": "T", "tokenizer.chat_template.rag": "R" };
  const say = async (templates: Readonly<Record<string, string>>, tools?: readonly unknown[]) => {
    const tokenizer = await throughGguf({ ...base, "tokenizer.ggml.tokens": [...tokens, "ab"], ...templates });
    return tokenizer.applyChatTemplate([{ role: "user", content: "Hi" }], tools ? { tools } : {});
  };
  expect(await say({ "tokenizer.chat_template": "D", ...named })).toBe("D");
  expect(await say({ "tokenizer.chat_template": "D", ...named }, [{}])).toBe("T");
  expect(await say({ "tokenizer.chat_template": "D" }, [{}])).toBe("D");
  await expect(say(named)).rejects.toThrow(/no default chat template: choose one of "?tool_use"?, "?rag"?/);
});

/** A protobuf message's fields by number: numbers, or bytes. */
function readProto(bytes: Buffer): Map<number, (number | Buffer)[]> {
  const fields = new Map<number, (number | Buffer)[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = { 0: 0, 1: 8, 5: 4 }[tag & 7] ?? varint();
    const value = (tag & 7) === 0 ? varint() : bytes.subarray(at, (at += length));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}
