import { beginsWithBos, PRE_TOKENIZERS, preTokenizerName } from "@llm/tokenizer-bpe/gguf-pre";
import type { Json, JsonObject } from "../json.ts";
import type { Metadata } from "./metadata.ts";
import { sentencePieceModel } from "./sentencepiece.ts";
import { generationConfig } from "./text-ends.ts";

/** GGUF's token types: SentencePiece's numbers, given to all kinds of tokenizers. */
const TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

/** How text is cut is called `tokenizer.ggml.model`: which files Hugging Face would publish for each. */
const KINDS: Readonly<Record<string, { file: string; make: (metadata: Metadata) => Promise<Uint8Array> }>> = {
  gpt2: { file: "tokenizer.json", make: async (metadata) => json(await byteLevelBpe(metadata)) },
  llama: { file: "tokenizer.model", make: (metadata) => sentencePiece(metadata, "bpe") },
  t5: { file: "tokenizer.model", make: (metadata) => sentencePiece(metadata, "unigram") },
};

/** The small files of a published checkpoint, made from GGUF's metadata when they are asked for. */
export function sideFiles(metadata: Metadata, config: JsonObject): ReadonlyMap<string, () => Promise<Uint8Array>> {
  const files = new Map<string, () => Promise<Uint8Array>>();
  files.set("config.json", async () => json(config));
  files.set("generation_config.json", async () => json(await generationConfig(metadata, config)));
  const kind = metadata.text("tokenizer.ggml.model");
  if (kind === undefined || kind === "none" || kind === "no_vocab") return files;
  files.set("tokenizer_config.json", async () => json(await tokenizerConfig(metadata)));
  const original = metadata.text("tokenizer.huggingface.json");
  if (original !== undefined) {
    files.set("tokenizer.json", async () => Buffer.from(original));
    return files;
  }
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  files.set(known?.file ?? "tokenizer.json", async () => {
    if (!known) throw metadata.error(`its tokenizer is of the kind ${JSON.stringify(kind)}, which can't be read`);
    return known.make(metadata);
  });
  return files;
}

async function tokens(metadata: Metadata): Promise<string[]> {
  const list = await metadata.texts("tokenizer.ggml.tokens");
  if (!list) throw metadata.error("has a tokenizer, but no tokenizer.ggml.tokens");
  return list;
}

async function types(metadata: Metadata, count: number): Promise<number[]> {
  const list = (await metadata.numbers("tokenizer.ggml.token_type")) ?? new Array<number>(count).fill(TYPE.normal);
  if (list.length !== count) throw metadata.error(`has ${count} tokens, but ${list.length} token types`);
  return list;
}

/** llama.cpp's own defaults where the file doesn't say. */
function addsBos(metadata: Metadata, list: readonly string[]): boolean {
  return (
    metadata.flag("tokenizer.ggml.add_bos_token") ??
    beginsWithBos(metadata.text("tokenizer.ggml.model"), preOf(metadata, list))
  );
}

function preOf(metadata: Metadata, list: readonly string[]): string {
  return preTokenizerName(metadata.text("tokenizer.ggml.pre"), metadata.architecture, list);
}

function addsEos(metadata: Metadata): boolean {
  return metadata.flag("tokenizer.ggml.add_eos_token") ?? metadata.text("tokenizer.ggml.model") === "t5";
}

async function byteLevelBpe(metadata: Metadata): Promise<JsonObject> {
  const list = await tokens(metadata);
  const kinds = await types(metadata, list.length);
  const merges = await metadata.texts("tokenizer.ggml.merges");
  if (!merges) throw metadata.error("has a BPE tokenizer, but no tokenizer.ggml.merges");
  const pre = preOf(metadata, list);
  const known = Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre]! : undefined;
  if (!known) throw metadata.error(`cuts text in a way called ${JSON.stringify(pre)}, which is not known here`);
  const added = list.flatMap((content, id) =>
    kinds[id] === TYPE.control || kinds[id] === TYPE.userDefined ? [addedToken(id, content, kinds[id])] : [],
  );
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: known.normalizer ?? null,
    pre_tokenizer: known.cut,
    post_processor: postProcessor(metadata, list),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: known.ignoreMerges ?? false,
      vocab: Object.fromEntries(list.map((token, id) => [token, id])),
      merges,
    },
  };
}

function addedToken(id: number, content: string, type: number): JsonObject {
  const special = type === TYPE.control;
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
}

/** Puts the first and last token of a text around it where the model wants them. */
function postProcessor(metadata: Metadata, list: readonly string[]): Json {
  const around = [
    addsBos(metadata, list) ? metadata.number("tokenizer.ggml.bos_token_id") : undefined,
    addsEos(metadata) ? metadata.number("tokenizer.ggml.eos_token_id") : undefined,
  ].map((id) => (id === undefined || list[id] === undefined ? undefined : { id, token: list[id] }));
  const [bos, eos] = around;
  if (!bos && !eos) return { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true };
  const special = (token: string): Json => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = (id: string, type: number): Json => ({ Sequence: { id, type_id: type } });
  const wrap = (id: string, type: number): Json[] => [
    ...(bos ? [special(bos.token)] : []),
    text(id, type),
    ...(eos ? [special(eos.token)] : []),
  ];
  const used = around.flatMap((entry) =>
    entry ? [[entry.token, { id: entry.token, ids: [entry.id], tokens: [entry.token] }]] : [],
  );
  return {
    type: "TemplateProcessing",
    single: wrap("A", 0),
    pair: [...wrap("A", 0), ...wrap("B", 1)],
    special_tokens: Object.fromEntries(used),
  };
}

async function sentencePiece(metadata: Metadata, model: "bpe" | "unigram"): Promise<Uint8Array> {
  const list = await tokens(metadata);
  const kinds = await types(metadata, list.length);
  const scores = (await metadata.numbers("tokenizer.ggml.scores")) ?? list.map(() => 0);
  if (scores.length !== list.length) throw metadata.error(`has ${list.length} tokens, but ${scores.length} scores`);
  const id = (name: string): number => metadata.number(`tokenizer.ggml.${name}_token_id`) ?? -1;
  const unk = Math.max(id("unknown"), kinds.indexOf(TYPE.unknown));
  // Converters mark the unknown piece as a control token when its name looks like one (Gemma's do); its id says what it is.
  const pieces = list.map((text, i) => ({ text, score: scores[i]!, type: i === unk ? TYPE.unknown : kinds[i]! }));
  return sentencePieceModel(pieces, {
    model,
    byteFallback: kinds.includes(TYPE.byte),
    addDummyPrefix: metadata.flag("tokenizer.ggml.add_space_prefix") ?? true,
    removeExtraWhitespaces: metadata.flag("tokenizer.ggml.remove_extra_whitespaces") ?? false,
    charsMap: await metadata.bytes("tokenizer.ggml.precompiled_charsmap"),
    unk,
    bos: id("bos"),
    eos: id("eos"),
    pad: id("padding"),
  });
}

async function tokenizerConfig(metadata: Metadata): Promise<JsonObject> {
  const list = await tokens(metadata);
  const token = (name: string): string | null => {
    const id = metadata.number(`tokenizer.ggml.${name}_token_id`);
    return id === undefined ? null : (list[id] ?? null);
  };
  const config: Record<string, Json> = {
    tokenizer_class: metadata.text("tokenizer.ggml.model") === "llama" ? "LlamaTokenizer" : "PreTrainedTokenizerFast",
    add_bos_token: addsBos(metadata, list),
    add_eos_token: addsEos(metadata),
    bos_token: token("bos"),
    eos_token: token("eos"),
    unk_token: token("unknown"),
    pad_token: token("padding"),
    clean_up_tokenization_spaces: false,
  };
  const template = chatTemplate(metadata);
  if (template !== undefined) config.chat_template = template;
  return config;
}

/** One text, or a list of named ones, as published: GGUF has a key for each name. */
function chatTemplate(metadata: Metadata): Json | undefined {
  const key = "tokenizer.chat_template";
  const usual = metadata.text(key);
  const named = metadata
    .keys(`${key}.`)
    .map((one) => ({ name: one.slice(key.length + 1), template: metadata.text(one)! }));
  if (named.length === 0) return usual;
  return usual === undefined ? named : [{ name: "default", template: usual }, ...named];
}

function json(value: Json): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
