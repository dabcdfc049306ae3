import { type AddedToken, readAddedTokens } from "../added-tokens.ts";
import type { Decoder } from "../decode/decoder.ts";
import { readDecoder } from "../decode/from-json.ts";
import { invalid, printable, TokenizerError } from "../error.ts";
import { BpeModel } from "../model/bpe.ts";
import type { MergeTable } from "../model/merge-table.ts";
import type { Model } from "../model/model.ts";
import { UnigramModel } from "../model/unigram.ts";
import type { Vocab } from "../model/vocab.ts";
import { WordPieceModel } from "../model/wordpiece.ts";
import { readNormalizers } from "../normalize/from-json.ts";
import type { PipelineParts } from "../pipeline.ts";
import { type PostProcessor, readPostProcessor } from "../post.ts";
import { readCutter } from "../split/from-json.ts";
import { byteToChar } from "../text/byte-alphabet.ts";
import { booleanOf, integerOf, isNode, type JsonNode, nodeOf, stringOf } from "../text/json-node.ts";
import { membersOf, type Range } from "../text/json-scan.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { readMerges, readScoredVocab, readVocabObject } from "./flat-json.ts";

/** What one vocabulary file says by itself. */
export interface ReadTokenizer extends PipelineParts {
  readonly post: PostProcessor;
  readonly decoder: Decoder;
}

export interface ReadOptions {
  /** Off, every pre-tokenizer runs as a regular expression; for tests. */
  readonly scanners?: boolean;
}

/** Reads a tokenizer.json. */
export function readTokenizerJson(json: Uint8Array, options: ReadOptions = {}): ReadTokenizer {
  const { root, vocab, merges } = openTokenizerJson(json);
  const node = nodeOf(root.model, "model");
  const kind =
    typeof node.type === "string" ? node.type : guessType(merges, vocab !== undefined && isList(json, vocab));
  const make = Object.hasOwn(models, kind) ? models[kind] : undefined;
  if (make === undefined) throw new TokenizerError("unsupported", `unknown model type ${printable(kind)}`);
  const read: ModelParts = { json, node, vocab, merges, endsInBytes: endsInBytes(root.pre_tokenizer) };
  const model = make(read);
  return {
    model,
    normalizers: readNormalizers(root.normalizer),
    cutter: readCutter(root.pre_tokenizer, {
      byteLevelModel: model instanceof BpeModel && model.byteLevel,
      ...(options.scanners === undefined ? {} : { scanners: options.scanners }),
    }),
    addedTokens: numbered(readAddedTokens(root.added_tokens), model.vocab),
    post: readPostProcessor(root.post_processor),
    decoder: readDecoder(root.decoder),
  };
}

/**
 * The ids that the Rust library gives added tokens, whatever ids the file writes beside them: the model's own for a token
 * that it has too, else the next one that is free.
 */
function numbered(tokens: readonly AddedToken[], vocab: Vocab): AddedToken[] {
  const ids = new Map<string, number>();
  let free = vocab.count;
  return tokens.map((token) => {
    const known = ids.get(token.content) ?? vocab.idOf(token.content);
    const id = known >= 0 ? known : free++;
    ids.set(token.content, id);
    return { ...token, id };
  });
}

interface Opened {
  readonly root: JsonNode;
  readonly vocab: Range | undefined;
  readonly merges: Range | undefined;
}

/** Parses all but the vocabulary and the merges, which are large and are read where they lie. */
function openTokenizerJson(json: Uint8Array): Opened {
  const members = membersOf(json, 0, ["model"]).get("model")?.members;
  if (members === undefined) throw invalid("has no model");
  const vocab = members.get("vocab");
  const merges = members.get("merges");
  const holes = [vocab, merges].filter((range) => range !== undefined).sort((a, b) => a.start - b.start);
  let rest = "";
  let from = 0;
  for (const hole of holes) {
    rest += `${decodeUtf8(json.subarray(from, hole.start))}null`;
    from = hole.end;
  }
  rest += decodeUtf8(json.subarray(from));
  return { root: nodeOf(parseJson(rest), "the file"), vocab, merges: isList(json, merges) ? merges : undefined };
}

function isList(json: Uint8Array, range: Range | undefined): boolean {
  return range !== undefined && json[range.start] === 0x5b;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(0, 120);
    throw invalid(`is not JSON: ${reason}`, error);
  }
}

interface ModelParts {
  readonly json: Uint8Array;
  readonly node: JsonNode;
  readonly vocab: Range | undefined;
  readonly merges: Range | undefined;
  readonly endsInBytes: boolean;
}

/** Files from before the type was written. */
function guessType(merges: Range | undefined, scored: boolean): string {
  if (merges !== undefined) return "BPE";
  return scored ? "Unigram" : "WordPiece";
}

const models: Readonly<Record<string, (parts: ModelParts) => Model>> = {
  BPE({ json, node, vocab: vocabRange, merges: mergesRange, endsInBytes }) {
    const vocab = readVocab(json, vocabRange);
    if (mergesRange === undefined) throw invalid("the BPE model has no merges");
    const continuingPrefix = textOrNone(node, "continuing_subword_prefix");
    const endOfWordSuffix = textOrNone(node, "end_of_word_suffix");
    const unknown = textOrNone(node, "unk_token");
    const byteFallback = booleanOf(node, "byte_fallback", false);
    const merges: MergeTable = readMerges(json, mergesRange, vocab, continuingPrefix);
    const plain = continuingPrefix === "" && endOfWordSuffix === "";
    const whole = byteToChar.every((char) => vocab.idOf(char) >= 0);
    return new BpeModel({
      vocab,
      merges,
      byteLevel: endsInBytes && plain && (whole || (unknown === "" && !byteFallback)),
      byteFallback,
      ignoreMerges: booleanOf(node, "ignore_merges", false),
      fuseUnknown: booleanOf(node, "fuse_unk", false),
      unknown: unknown === "" ? undefined : unknown,
      continuingPrefix,
      endOfWordSuffix,
    });
  },
  WordPiece: ({ json, node, vocab }) =>
    new WordPieceModel({
      vocab: readVocab(json, vocab),
      unknown: stringOf(node, "unk_token", "[UNK]"),
      continuingPrefix: stringOf(node, "continuing_subword_prefix", "##"),
      maxChars: integerOf(node, "max_input_chars_per_word", 100),
    }),
  Unigram({ json, node, vocab: range }) {
    if (range === undefined || json[range.start] !== 0x5b) throw invalid("the Unigram model has no list of tokens");
    const { vocab, scores } = readScoredVocab(json, range);
    const unknownId = node.unk_id === null || node.unk_id === undefined ? undefined : integerOf(node, "unk_id");
    if (unknownId !== undefined && unknownId >= vocab.size)
      throw invalid(`unk_id ${unknownId} is not in the vocabulary`);
    return new UnigramModel({ vocab, scores, unknownId, byteFallback: booleanOf(node, "byte_fallback", false) });
  },
};

function readVocab(json: Uint8Array, range: Range | undefined): Vocab {
  if (range === undefined || json[range.start] !== 0x7b) throw invalid("the model's vocabulary is not an object");
  return readVocabObject(json, range);
}

function textOrNone(node: JsonNode, key: string): string {
  return node[key] === null || node[key] === undefined ? "" : stringOf(node, key);
}

/** Whether the last thing before the model writes bytes in GPT-2's alphabet, so that the model may read bytes instead. */
function endsInBytes(preTokenizer: unknown): boolean {
  let node = preTokenizer;
  while (isNode(node) && node.type === "Sequence" && Array.isArray(node.pretokenizers))
    node = node.pretokenizers.at(-1);
  return isNode(node) && node.type === "ByteLevel";
}
