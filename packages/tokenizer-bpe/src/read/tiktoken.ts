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
import { putUtf8 } from "../text/utf8.ts";
import { concatMerges } from "./concat-merges.ts";
import type { ReadTokenizer } from "./tokenizer-json.ts";

/** What a rank file doesn't say. */
export interface TiktokenEncoding {
  /** tiktoken's `pat_str`. */
  readonly pattern: string;
  readonly specialTokens: Readonly<Record<string, number>>;
  /** Further tokens that text is split into, by their text; never looked for before the pattern has cut it. */
  readonly extraRanks?: Readonly<Record<string, number>>;
  /** Ids that every text begins with. */
  readonly before?: readonly number[];
}

/** Reads a `.tiktoken` file: a line for each token, its bytes in base64 and its rank, which is its id. */
export function readTiktoken(file: Uint8Array, encoding: TiktokenEncoding): ReadTokenizer {
  const vocab = readRanks(file, encoding.extraRanks ?? {});
  const ids = Int32Array.from({ length: vocab.size }, (_, id) => id);
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
    model: new BpeModel({
      vocab,
      merges: concatMerges(vocab, ids, ids, () => true),
      byteLevel: true,
      ignoreMerges: true,
    }),
    addedTokens,
    post: { ...noPostProcessing, before: encoding.before ?? [] },
    decoder: readDecoder({ type: "ByteLevel" }),
  };
}

/** The tokens, written in GPT-2's alphabet like every other byte-level vocabulary. */
function readRanks(file: Uint8Array, extra: Readonly<Record<string, number>>): Vocab {
  const entries = new VocabEntries();
  const chars = byteToChar.map((char) => char.charCodeAt(0));
  const more = Object.entries(extra);
  const arena = new Uint8Array(file.length * 2 + more.reduce((sum, [text]) => sum + text.length * 3, 0));
  let length = 0;
  let line = 0;
  for (let at = 0; at < file.length; at++) {
    line++;
    if (file[at] === LINE_FEED || file[at] === CARRIAGE_RETURN) continue;
    const start = length;
    let bits = 0;
    let held = 0;
    for (; file[at] !== SPACE; at++) {
      const value = file[at] === PADDING ? 0 : sextets[file[at] ?? 0];
      if (value < 0 || at >= file.length) throw invalid(`line ${line} is not a token in base64 and its rank`);
      if (file[at] === PADDING) continue;
      bits = (bits << 6) | value;
      held += 6;
      if (held < 8) continue;
      held -= 8;
      length = putUtf8(arena, length, chars[(bits >>> held) & 0xff]);
      bits &= (1 << held) - 1;
    }
    let rank = 0;
    const digits = ++at;
    for (; file[at] >= 0x30 && file[at] <= 0x39 && at - digits < 10; at++) rank = rank * 10 + file[at] - 0x30;
    if (file[at] === CARRIAGE_RETURN) at++;
    if (at === digits || length === start || (at < file.length && file[at] !== LINE_FEED))
      throw invalid(`line ${line} is not a token in base64 and its rank`);
    entries.push(rank, start, length, hashBytes(arena, start, length));
  }
  if (entries.length === 0) throw invalid("has no tokens");
  for (const [text, rank] of more) {
    const start = length;
    for (let i = 0; i < text.length; i++) length = putUtf8(arena, length, chars[text.charCodeAt(i)]);
    entries.push(rank, start, length, hashBytes(arena, start, length));
  }
  return new Vocab(arena.slice(0, length), entries);
}

const SPACE = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const PADDING = 0x3d;

/** The six bits that each base64 digit stands for, −1 for everything else. */
const sextets = new Int8Array(256).fill(-1);
for (const [value, digit] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries())
  sextets[digit.charCodeAt(0)] = value;

/** The error for a rank file that nothing says how to cut text for. */
export function unknownEncoding(name: string): TokenizerError {
  return new TokenizerError(
    "unsupported",
    `no pattern is known for ${name}: give options.tiktoken with its pattern and special tokens`,
  );
}
