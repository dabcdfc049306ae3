import { type AddedToken, readAddedToken } from "../added-tokens.ts";
import { readDecoder } from "../decode/from-json.ts";
import { invalid, printable, TokenizerError } from "../error.ts";
import { MAX_TOKEN_ID } from "../limits.ts";
import { BpeModel } from "../model/bpe.ts";
import { Vocab } from "../model/vocab.ts";
import { readNormalizers } from "../normalize/from-json.ts";
import type { SpecialTokens } from "../special-tokens.ts";
import { readCutter } from "../split/from-json.ts";
import { encodeUtf8 } from "../text/utf8.ts";
import { beginsWithBos, PRE_TOKENIZERS, type PreTokenizer, preTokenizerName } from "./gguf-pre.ts";
import { MergeBuilder } from "./merge-builder.ts";
import { sentencePieceTokenizer } from "./sentencepiece.ts";
import { PieceType, type SentencePieceSpec } from "./sentencepiece-proto.ts";
import type { ReadTokenizer } from "./tokenizer-json.ts";

/** A GGUF file's key-value pairs; only those under `tokenizer.` and `general.` are looked at. */
export type GgufMetadata = Readonly<Record<string, unknown>>;

/** The tokenizer in a GGUF file's metadata. */
export function readGguf(metadata: GgufMetadata): ReadTokenizer {
  const model = metadata["tokenizer.ggml.model"];
  const tokens = tokensOf(metadata);
  switch (model) {
    case "llama":
    case "t5":
      return sentencePiece(metadata, tokens, model === "t5" ? "unigram" : "bpe");
    case "gpt2":
      return byteLevel(metadata, tokens);
    default:
      throw new TokenizerError("unsupported", `unknown tokenizer.ggml.model ${printable(String(model))}`);
  }
}

function sentencePiece(metadata: GgufMetadata, tokens: readonly string[], kind: "bpe" | "unigram"): ReadTokenizer {
  const scores = numbers(metadata, "scores", tokens.length);
  const types = numbers(metadata, "token_type", tokens.length);
  const pieces = tokens.map((text, id) => ({ text, score: scores?.[id] ?? 0, type: types?.[id] ?? PieceType.normal }));
  let unknownId = idOf(metadata, "unknown_token_id", tokens.length);
  if (unknownId < 0) unknownId = pieces.findIndex((piece) => piece.type === PieceType.unknown);
  if (unknownId < 0) throw invalid("tokenizer.ggml has no unknown token");
  const charsmap = metadata["tokenizer.ggml.precompiled_charsmap"];
  const spec: SentencePieceSpec = {
    pieces,
    kind,
    unknownId,
    byteFallback: pieces.some((piece) => piece.type === PieceType.byte),
    spaceAsSuffix: false,
    bosId: idOf(metadata, "bos_token_id", tokens.length),
    eosId: idOf(metadata, "eos_token_id", tokens.length),
    padId: idOf(metadata, "padding_token_id", tokens.length),
    unknownSurface: " \u2047 ",
    charsmap:
      Array.isArray(charsmap) || ArrayBuffer.isView(charsmap)
        ? Uint8Array.from(charsmap as ArrayLike<number>)
        : undefined,
    addDummyPrefix: flag(metadata, "add_space_prefix", true),
    removeExtraSpaces: flag(metadata, "remove_extra_whitespaces", false),
    escapeSpaces: true,
  };
  return sentencePieceTokenizer(spec, {
    addBos: flag(metadata, "add_bos_token", beginsWithBos(metadata["tokenizer.ggml.model"], undefined)),
    addEos: flag(metadata, "add_eos_token", kind === "unigram"),
    prefixEachPart: true,
  });
}

function byteLevel(metadata: GgufMetadata, tokens: readonly string[]): ReadTokenizer {
  const merges = metadata["tokenizer.ggml.merges"];
  if (!Array.isArray(merges)) throw invalid("tokenizer.ggml.merges is not a list");
  const vocab = Vocab.fromTokens(tokens);
  const builder = new MergeBuilder(vocab, "", merges.length);
  for (const merge of merges) {
    if (typeof merge !== "string") throw invalid("tokenizer.ggml.merges holds something that is not text");
    const bytes = encodeUtf8(merge);
    builder.addSpaced(bytes, bytes.length);
  }
  const { cut, normalizer, ignoreMerges = false } = preTokenizer(preOf(metadata, tokens));
  const around = (key: string, add: string, unsaid: boolean) => {
    const id = idOf(metadata, key, tokens.length);
    return id >= 0 && flag(metadata, add, unsaid) ? [id] : [];
  };
  return {
    normalizers: readNormalizers(normalizer),
    cutter: readCutter(cut, { byteLevelModel: true }),
    model: new BpeModel({ vocab, merges: builder.table, byteLevel: true, ignoreMerges }),
    addedTokens: addedTokens(metadata, tokens),
    post: {
      before: around("bos_token_id", "add_bos_token", beginsWithBos("gpt2", preOf(metadata, tokens))),
      after: around("eos_token_id", "add_eos_token", false),
      trims: [],
    },
    decoder: readDecoder({ type: "ByteLevel" }),
  };
}

function preOf(metadata: GgufMetadata, tokens: readonly string[]): string {
  return preTokenizerName(metadata["tokenizer.ggml.pre"], metadata["general.architecture"], tokens);
}

function preTokenizer(name: string): PreTokenizer {
  const known = Object.hasOwn(PRE_TOKENIZERS, name) ? PRE_TOKENIZERS[name] : undefined;
  if (known === undefined) throw new TokenizerError("unsupported", `unknown tokenizer.ggml.pre ${printable(name)}`);
  return known;
}

function addedTokens(metadata: GgufMetadata, tokens: readonly string[]): AddedToken[] {
  const types = numbers(metadata, "token_type", tokens.length);
  return tokens.flatMap((content, id) => {
    const type = types?.[id];
    if ((type !== PieceType.control && type !== PieceType.userDefined) || content === "") return [];
    return [readAddedToken({ content, special: type === PieceType.control, normalized: false }, id)];
  });
}

/** Which tokens play which part, and the chat templates, for `createTokenizerFromGguf`. */
export function ggufSpecialTokens(metadata: GgufMetadata): SpecialTokens {
  const tokens = tokensOf(metadata);
  const text = (key: string) => tokens[idOf(metadata, key, tokens.length)];
  const parts = {
    bos: text("bos_token_id"),
    eos: text("eos_token_id"),
    pad: text("padding_token_id"),
    unk: text("unknown_token_id"),
  };
  const named = Object.entries(parts).flatMap(([name, token]) =>
    token === undefined ? [] : [[`${name}_token`, token]],
  );
  return { ...parts, named: Object.fromEntries(named) };
}

/** `tokenizer.chat_template`, and `tokenizer.chat_template.NAME` for further ones. */
export function ggufTemplates(metadata: GgufMetadata): Map<string, string> {
  const templates = new Map<string, string>();
  for (const [key, value] of Object.entries(metadata)) {
    const found = /^tokenizer\.chat_template(?:\.(.+))?$/.exec(key);
    if (found !== null && typeof value === "string") templates.set(found[1] ?? "default", value);
  }
  return templates;
}

function tokensOf(metadata: GgufMetadata): readonly string[] {
  const tokens = metadata["tokenizer.ggml.tokens"];
  if (!Array.isArray(tokens) || tokens.length === 0)
    throw invalid("has no tokenizer: tokenizer.ggml.tokens is missing");
  if (tokens.length > MAX_TOKEN_ID) throw new TokenizerError("limit-exceeded", `has more than ${MAX_TOKEN_ID} tokens`);
  if (!tokens.every((token) => typeof token === "string"))
    throw invalid("tokenizer.ggml.tokens holds something that is not text");
  return tokens;
}

function numbers(metadata: GgufMetadata, key: string, length: number): ArrayLike<number> | undefined {
  const value = metadata[`tokenizer.ggml.${key}`];
  if (value === undefined || value === null) return undefined;
  if (!(Array.isArray(value) || ArrayBuffer.isView(value)) || (value as ArrayLike<unknown>).length !== length)
    throw invalid(`tokenizer.ggml.${key} is not a list of ${length} numbers`);
  return value as ArrayLike<number>;
}

function idOf(metadata: GgufMetadata, key: string, length: number): number {
  const value = metadata[`tokenizer.ggml.${key}`];
  if (value === undefined || value === null) return -1;
  const id = Number(value);
  if (!Number.isInteger(id) || id < 0 || id >= length)
    throw invalid(`tokenizer.ggml.${key} ${String(value)} is not in the vocabulary`);
  return id;
}

function flag(metadata: GgufMetadata, key: string, fallback: boolean): boolean {
  const value = metadata[`tokenizer.ggml.${key}`];
  return typeof value === "boolean" ? value : fallback;
}
