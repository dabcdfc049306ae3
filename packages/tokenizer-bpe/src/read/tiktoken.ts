import { type AddedToken, readAddedToken } from "../added-tokens.ts";
import { readDecoder } from "../decode/from-json.ts";
import { invalid, TokenizerError } from "../error.ts";
import { BpeModel } from "../model/bpe.ts";
import { hashBytes, Vocab, VocabEntries } from "../model/vocab.ts";
import { noPostProcessing } from "../post.ts";
import { knownScanner } from "../split/known-patterns.ts";
import { translateRegex } from "../split/regex.ts";
import { splitAt } from "../split/stage.ts";
import { byteToChar } from "../text/byte-alphabet.ts";
import { findRegex } from "../text/pattern.ts";
import { decodeUtf8, putUtf8 } from "../text/utf8.ts";
import { concatMerges } from "./concat-merges.ts";
import type { ReadTokenizer } from "./tokenizer-json.ts";

/** What a rank file doesn't say. */
export interface TiktokenEncoding {
  /** tiktoken's `pat_str`. */
  readonly pattern: string;
  readonly specialTokens: Readonly<Record<string, number>>;
  /** Further tokens that text is split into, by their text; never looked for before the pattern has cut it. */
  readonly extraRanks?: Readonly<Record<string, number>>;
}

/** Reads a `.tiktoken` file: a line for each token, its bytes in base64 and its rank, which is its id. */
export function readTiktoken(file: Uint8Array, encoding: TiktokenEncoding): ReadTokenizer {
  const vocab = readRanks(file, encoding.extraRanks ?? {});
  const ids: (readonly [number, number])[] = [];
  for (let id = 0; id < vocab.size; id++) ids.push([id, id]);
  for (const byte of byteToChar)
    if (vocab.idOf(byte) < 0) throw invalid("has no token for every byte: not a tiktoken rank file");
  const addedTokens: AddedToken[] = Object.entries(encoding.specialTokens).map(([content, id]) =>
    readAddedToken({ content, special: true, normalized: false }, id),
  );
  const scanner = knownScanner(encoding.pattern);
  const find = scanner === undefined ? findRegex(translateRegex(encoding.pattern, "rust")) : undefined;
  return {
    normalizers: [],
    cutter: { stages: find === undefined ? [] : [splitAt(find, "Isolated")], scanner, byteLevel: true },
    model: new BpeModel({ vocab, merges: concatMerges(vocab, ids, () => true), byteLevel: true, ignoreMerges: true }),
    addedTokens,
    post: noPostProcessing,
    decoder: readDecoder({ type: "ByteLevel" }),
  };
}

/** The tokens, written in GPT-2's alphabet like every other byte-level vocabulary. */
function readRanks(file: Uint8Array, extra: Readonly<Record<string, number>>): Vocab {
  const lines = decodeUtf8(file).split("\n");
  const entries = new VocabEntries();
  const chars = byteToChar.map((char) => char.charCodeAt(0));
  const more = Object.entries(extra);
  let arena = new Uint8Array(file.length * 2 + more.reduce((sum, [text]) => sum + text.length * 3, 0));
  let length = 0;
  const add = (bytes: string, rank: number) => {
    const start = length;
    for (let i = 0; i < bytes.length; i++) length = putUtf8(arena, length, chars[bytes.charCodeAt(i)]);
    entries.push(rank, start, length, hashBytes(arena, start, length));
  };
  for (const [index, line] of lines.entries()) {
    if (line === "" || line === "\r") continue;
    const space = line.indexOf(" ");
    const rank = Number(line.slice(space + 1));
    if (space < 1 || !/^\d{1,9}\r?$/.test(line.slice(space + 1)))
      throw invalid(`line ${index + 1} is not a token and its rank`);
    add(fromBase64(line.slice(0, space), index), rank);
  }
  if (entries.length === 0) throw invalid("has no tokens");
  for (const [text, rank] of more) add(text, rank);
  arena = arena.slice(0, length);
  return new Vocab(arena, entries);
}

function fromBase64(text: string, index: number): string {
  try {
    return atob(text);
  } catch (error) {
    throw invalid(`line ${index + 1} is not base64`, error);
  }
}

/** The error for a rank file that nothing says how to cut text for. */
export function unknownEncoding(name: string): TokenizerError {
  return new TokenizerError(
    "unsupported",
    `no pattern is known for ${name}: give options.tiktoken with its pattern and special tokens`,
  );
}
