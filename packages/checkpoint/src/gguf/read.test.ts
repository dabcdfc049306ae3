import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gguf as reader } from "@huggingface/gguf";
import { goldenDir } from "@llm/fixtures";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Checkpoint } from "../checkpoint.ts";
import type { JsonObject } from "../json.ts";
import { openCheckpoint } from "../open.ts";
import { floats } from "../testing/decode.ts";
import { type GgufInput, ggufFile } from "../testing/gguf-file.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "gguf-read-"));
});
afterAll(() => rm(root, { recursive: true }));

const folder = fileURLToPath(new URL("../../fixtures/gguf", import.meta.url));
const fixtures = (await readdir(folder)).map((name) => name.slice(0, -5)).filter((name) => name !== "formats");

/** Tensors that are published as one and stored in parts, of which the models package puts them together. */
const IN_PARTS = /W_pack|[qkv]_proj|input_linear|kv_b_proj/;
const inParts = (fixture: string) => /baichuan|granitemoe|deepseek_v3_yarn/.test(fixture);

/** Buffers that the published code computes itself. */
const IGNORED = /\.attn\.bias$|masked_bias$|inv_freq$|relative_pe\.slopes$/;

async function open(name: string): Promise<{ gguf: Checkpoint; golden: Checkpoint }> {
  return { gguf: await openCheckpoint(`${folder}/${name}.gguf`), golden: await openCheckpoint(goldenDir(name)) };
}

test.each(fixtures)("%s: each tensor has its published name, shape and values", async (name) => {
  const { gguf, golden } = await open(name);
  const tied = golden.config.tie_word_embeddings === true;
  const factors: Readonly<Record<string, number>> = name === "jais" ? { "transformer.wte.weight": 4.6 } : {};
  const compared = (tensor: string) =>
    !IGNORED.test(tensor) &&
    !((tied || name === "jais") && tensor === "lm_head.weight") &&
    !(inParts(name) && IN_PARTS.test(tensor));
  const names = [...golden.weights.names()].filter(compared);
  expect([...gguf.weights.names()].filter(compared).sort()).toEqual(names.sort());
  for (const tensor of names) {
    const [stored, published] = [gguf.weights.get(tensor)!, golden.weights.get(tensor)!];
    const [actual, expected] = [await floats(gguf.weights, stored), await floats(golden.weights, published)];
    expect(stored.shape, tensor).toEqual(published.shape);
    // Adding one and taking it away again costs Gemma's norms their last bits.
    const factor = factors[tensor];
    if (factor === undefined && stored.shift === undefined) expect(actual, tensor).toEqual(expected);
    else for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i]! * (factor ?? 1), 5);
  }
  await Promise.all([gguf.close(), golden.close()]);
});

/** What GGUF can't say, or says in other words that mean the same. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  mixtral: ["head_dim"], // null there: the width by the number of heads
  // Of the class in transformers, which ignores half of them.
  ...Object.fromEntries(
    ["mpt", "mpt_clip", "mpt_qkln_alibi_mqa", "mpt_qkln_wpe"].map((name) => [
      name,
      ["architectures", "attn_config", "learned_pos_emb"],
    ]),
  ),
  bloom_nonpow2: ["apply_residual_connection_post_layernorm"], // of no published model
  gpt_neox_seq: ["hidden_act"], // the approximation of it
  chatglm2: ["architectures"],
  baichuan_7b: ["architectures"], // spelt otherwise in the first of them
  gemma2: ["query_pre_attn_scalar"], // not the head's size, as in the published models
  qwen3_moe: ["norm_topk_prob"],
  // Numbers that llama.cpp's code has and its files don't: the published models' own.
  cohere2: ["sliding_window_pattern"],
  smollm3: ["no_rope_layer_interval"],
  gemma3_text: ["query_pre_attn_scalar"],
  // Conversion multiplies these factors into the weights, after which embeddings and head differ.
  jais: ["mup_embeddings_scale", "mup_output_alpha", "mup_width_scale", "tie_word_embeddings"],
};

test.each(fixtures)("%s: the config says what the published one says", async (name) => {
  const { gguf, golden } = await open(name);
  const published = await legacyConfig(name);
  const ignored = ["rope_scaling", "bos_token_id", "eos_token_id", ...(EXCEPTIONS[name] ?? [])];
  for (const [key, value] of Object.entries(gguf.config)) {
    if (!(key in published) || ignored.includes(key)) continue;
    if (published[key] === null && ["n_inner", "ffn_hidden_size"].includes(key)) continue; // null: four times the width
    expect(value, key).toEqual(published[key]);
  }
  const { rope_scaling: scaling } = gguf.config;
  const { rope_scaling: expected } = published;
  if (expected === undefined || expected === null) expect(scaling ?? null).toBeNull();
  else expect(scaling).toMatchObject(withRopeType(expected as JsonObject));
  await Promise.all([gguf.close(), golden.close()]);
});

async function legacyConfig(name: string): Promise<JsonObject> {
  const legacy = await readFile(`${goldenDir(name)}/config.legacy.json`, "utf8").catch(() => undefined);
  return JSON.parse(legacy ?? (await readFile(`${goldenDir(name)}/config.json`, "utf8")));
}

function withRopeType({ type, ...rest }: JsonObject): JsonObject {
  return type === undefined ? rest : { rope_type: type, ...rest };
}

test("a Baichuan's fused projection is in three", async () => {
  const { gguf, golden } = await open("baichuan_7b");
  expect(gguf.config).toMatchObject({ model_type: "baichuan", position: "rotary", norm_head: false });
  const name = (part: string) => `model.layers.0.self_attn.${part}.weight`;
  const parts = await Promise.all(
    ["q", "k", "v"].map((part) => floats(gguf.weights, gguf.weights.get(name(`${part}_proj`))!)),
  );
  expect(parts.flat()).toEqual(await floats(golden.weights, golden.weights.get(name("W_pack"))!));
  await Promise.all([gguf.close(), golden.close()]);
});

test("a byte-level tokenizer becomes a tokenizer.json", async () => {
  const { gguf, golden } = await open("gpt_bigcode_mqa");
  expect(gguf.files).toEqual(["config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json"]);
  const tokenizer = (await gguf.readJson("tokenizer.json"))!;
  const model = tokenizer.model as { vocab: Record<string, number>; merges: string[] };
  expect(Object.keys(model.vocab).length).toBe(304);
  expect(model.vocab.def).toBe(261);
  expect(model.merges).toEqual(["d e", "de f", "Ġ Ġ", "r e", "re t"]);
  expect(tokenizer.added_tokens).toMatchObject([
    { id: 0, content: "<|endoftext|>", special: true },
    { id: 1, content: "<fim_prefix>" },
    { id: 2 },
    { id: 3 },
  ]);
  expect(JSON.stringify(tokenizer.pre_tokenizer)).toMatch(/Digits/);
  expect(await gguf.readJson("tokenizer_config.json")).toMatchObject({
    eos_token: "<|endoftext|>",
    add_bos_token: false,
  });
  expect(gguf.generationConfig).toEqual({ bos_token_id: 0, eos_token_id: 0 });
  await Promise.all([gguf.close(), golden.close()]);
});

test("a SentencePiece tokenizer becomes a tokenizer.model", async () => {
  const { gguf, golden } = await open("llama_gqa_llama3");
  const bytes = Buffer.from((await gguf.readFile("tokenizer.model"))!);
  // The first piece: field 1, 14 bytes; its text: field 1, 5 bytes; its score 0; its type 2, unknown.
  expect(bytes.subarray(0, 16).toString("latin1")).toBe("\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02");
  expect(bytes.includes("<0xFF>")).toBe(true);
  expect(await gguf.readJson("tokenizer_config.json")).toMatchObject({
    bos_token: "<s>",
    unk_token: "<unk>",
    add_bos_token: true,
    chat_template: expect.stringContaining("bos_token"),
  });
  expect(gguf.config).toMatchObject({ bos_token_id: 1, eos_token_id: 2 });
  await Promise.all([gguf.close(), golden.close()]);
});

test("the config's overrides apply", async () => {
  const checkpoint = await openCheckpoint(`${folder}/qwen2.gguf`, { overrides: { rope_theta: 5 } });
  expect(checkpoint.config.rope_theta).toBe(5);
  expect(await checkpoint.readJson("config.json")).toMatchObject({ rope_theta: 5 });
  expect(checkpoint.describe()).toMatchObject({ kind: "gguf", modelType: "qwen2" });
  await checkpoint.close();
});

/** A copy of a fixture without some of its keys, which get names that nobody asks for. */
async function without(name: string, keys: readonly string[]): Promise<Checkpoint> {
  const bytes = await readFile(`${folder}/${name}.gguf`);
  for (const key of keys) {
    const at = bytes.indexOf(key);
    expect(at).toBeGreaterThan(0);
    bytes.write("_", at + key.length - 1);
  }
  const path = join(await mkdtemp(join(root, "without-")), `${name}.gguf`);
  await writeFile(path, bytes);
  return openCheckpoint(path);
}

test.each([
  ["qwen2_moe", ["qwen2moe.expert_feed_forward_length", "qwen2moe.expert_shared_feed_forward_length"]],
  ["qwen3_moe", ["qwen3moe.expert_feed_forward_length"]],
])("%s: sizes of experts that older converters didn't write are the tensors'", async (name, keys) => {
  const [whole, older] = [await openCheckpoint(`${folder}/${name}.gguf`), await without(name, keys)];
  expect(older.config).toEqual(whole.config);
  await Promise.all([whole.close(), older.close()]);
});

const tiny: Record<string, GgufInput> = {
  "general.architecture": "llama",
  "llama.block_count": 1,
  "llama.embedding_length": 8,
  "llama.context_length": 8,
  "llama.attention.head_count": 1,
};
const table = { shape: [4, 8], type: 0, bytes: new Uint8Array(128) };
const norm = { shape: [8], type: 0, bytes: new Uint8Array(32) };

/** A model in two files; `second` has what the other part says of itself. */
async function inTwo(second: Record<string, GgufInput>, names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]) {
  const path = await mkdtemp(join(root, "split-"));
  const said = { "split.count": 2, "split.tensors.count": 2 };
  const files = [
    ggufFile({ ...tiny, ...said, "split.no": 0 }, { "token_embd.weight": table }),
    ggufFile({ ...said, "split.no": 1, ...second }, { "output_norm.weight": norm }),
  ];
  for (const [i, name] of names.entries()) await writeFile(join(path, name), files[i]!);
  return join(path, names[0]!);
}

test("a model in parts opens by any of them", async () => {
  const first = await inTwo({});
  for (const path of [first, first.replace("00001", "00002"), dirname(first)]) {
    const checkpoint = await openCheckpoint(path);
    expect([...checkpoint.weights.names()]).toEqual(["model.embed_tokens.weight", "model.norm.weight"]);
    await checkpoint.close();
  }
});

test.each<[string, Record<string, GgufInput>, RegExp]>([
  ["another number", { "split.no": 0 }, /00002-of-00002\.gguf: is part 1 of 2 by its own word, not 2 of 2/],
  ["another split", { "split.count": 3 }, /is part 2 of 3 by its own word, not 2 of 2/],
  ["another model", { "split.tensors.count": 7 }, /belongs to a model of 7 tensors, but its parts have 2/],
])("a part of %s is found out", async (_, second, message) => {
  await expect(openCheckpoint(await inTwo(second))).rejects.toMatchObject({
    code: "file-invalid",
    message: expect.stringMatching(message),
  });
});

test("a part under the name of a whole model is found out", async () => {
  await expect(openCheckpoint(await inTwo({}, ["m.gguf"]))).rejects.toThrow(
    "is part 1 of 2 by its own word, not 1 of 1",
  );
});

test("a tensor of a type that is no more leaves the others readable", async () => {
  const path = join(await mkdtemp(join(root, "old-")), "m.gguf");
  const old = { shape: [2, 32], type: 33, bytes: new Uint8Array(36) };
  await writeFile(path, ggufFile(tiny, { "token_embd.weight": table, "output.weight": old }));
  const { weights, close } = await openCheckpoint(path);
  expect(weights.get("model.embed_tokens.weight")!.format).toBe("f32");
  expect(() => weights.get("lm_head.weight")).toThrow(/lm_head\.weight: it is Q4_0_8_8, which can't be read \(Q4_0 to/);
  await close();
});

test("each type has its own name here and the length that gguf says", async () => {
  const checkpoint = await openCheckpoint(`${folder}/formats.gguf`);
  const other = await reader(`${folder}/formats.gguf`, { allowLocalFile: true });
  const formats = Object.fromEntries(checkpoint.describe().tensors.map(({ name, format }) => [name, format]));
  const plain = { F32: "f32", F16: "f16", BF16: "bf16", F64: "f64", I8: "i8", I16: "i16", I32: "i32", I64: "i64" };
  const small = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "IQ4_XS"].map((name) => [name, name.toLowerCase()]);
  const large = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"].map((name) => [name, `q${name.slice(1)}`]);
  expect(formats).toEqual({
    ...plain,
    ...Object.fromEntries([...small, ...large]),
    MXFP4: "gguf_mxfp4",
    IQ2_XXS: "IQ2_XXS",
  });
  expect(() => checkpoint.weights.get("IQ2_XXS")).toThrow(
    /formats\.gguf: tensor IQ2_XXS: it is IQ2_XXS, which can't be read/,
  );
  const bytes = await readFile(`${folder}/formats.gguf`);
  const starts = other.tensorInfos.map(({ offset }) => Number(other.tensorDataOffset + offset));
  checkpoint
    .describe()
    .tensors.filter(({ readable }) => readable)
    .forEach(({ name, shape, bytes: length }) => {
      const span = checkpoint.weights.get(name)!.parts.data!;
      const start = starts[other.tensorInfos.findIndex((info) => info.name === name)]!;
      expect(span.offset, name).toBe(start);
      expect(shape, name).toEqual([2, 512]);
      const next = Math.min(bytes.length, ...starts.filter((other) => other > start));
      expect(next - (start + length), name).toBeLessThan(32); // nothing but padding follows
    });
  await checkpoint.close();
});
