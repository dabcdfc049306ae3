import type { AddedToken } from "../added-tokens.ts";
import { readDecoder } from "../decode/from-json.ts";
import { inFile, invalid } from "../error.ts";
import { BpeModel } from "../model/bpe.ts";
import type { MergeTable } from "../model/merge-table.ts";
import type { Vocab } from "../model/vocab.ts";
import { readCutter } from "../split/from-json.ts";
import { byteToChar } from "../text/byte-alphabet.ts";
import { skipSpace, skipValue } from "../text/json-scan.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { readVocabObject } from "./flat-json.ts";
import { MergeBuilder } from "./merge-builder.ts";
import type { ReadTokenizer } from "./tokenizer-json.ts";

export interface VocabMergesOptions {
  readonly addPrefixSpace: boolean;
  /** Put around every text. */
  readonly bos?: string | undefined;
  readonly eos?: string | undefined;
}

/**
 * GPT-2's pair of files. What they don't say is found in them: which entries were added (no merge makes them), and whether
 * digits stand alone, as in StarCoder's family, which matters for the spaces before them.
 */
export function readVocabMerges(vocabJson: Uint8Array, merges: Uint8Array, options: VocabMergesOptions): ReadTokenizer {
  const vocab = inFile("vocab.json", () => readVocab(vocabJson));
  const table = inFile("merges.txt", () => readMergesText(merges, vocab));
  const made = table.mergedIds();
  const added = addedEntries(vocab, made);
  const digits = splitsDigits(vocab, made);
  const byteLevel = { type: "ByteLevel", add_prefix_space: options.addPrefixSpace, use_regex: true };
  const steps = digits ? [{ type: "Digits", individual_digits: true }, byteLevel] : [byteLevel];
  const idOf = (token: string | undefined) => {
    const id = token === undefined ? -1 : vocab.idOf(token);
    return id < 0 ? [] : [id];
  };
  return {
    normalizers: [],
    cutter: readCutter({ type: "Sequence", pretokenizers: steps }, { byteLevelModel: true }),
    model: new BpeModel({ vocab, merges: table, byteLevel: true }),
    addedTokens: added,
    post: { before: idOf(options.bos), after: idOf(options.eos), trims: [] },
    decoder: readDecoder({ type: "ByteLevel" }),
  };
}

function readVocab(json: Uint8Array): Vocab {
  const start = skipSpace(json, 0);
  if (json[start] !== 0x7b) throw invalid("is not an object of tokens and ids");
  const end = skipValue(json, start);
  if (skipSpace(json, end) !== json.length) throw invalid("goes on after its end");
  return readVocabObject(json, { start, end });
}

/** Lines of two tokens; the first may say which version of the format they are in. */
function readMergesText(text: Uint8Array, vocab: Vocab): MergeTable {
  const builder = new MergeBuilder(vocab, "", text.length / 8);
  const line = new Uint8Array(text.length);
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf(0x0a, at);
    if (end < 0) end = text.length;
    const stop = text[end - 1] === 0x0d && end > at ? end - 1 : end;
    const version = at === 0 && decodeUtf8(text.subarray(0, 8)) === "#version";
    if (stop > at && !version) {
      line.set(text.subarray(at, stop));
      builder.addSpaced(line, stop - at);
    }
    at = end + 1;
  }
  return builder.table;
}

/** Entries longer than a byte that no merge makes can only have been added, and those are written like tags. */
function addedEntries(vocab: Vocab, made: ReadonlySet<number>): AddedToken[] {
  const bytes = new Set(byteToChar);
  const added: AddedToken[] = [];
  for (let id = 0; id < vocab.size; id++) {
    if (made.has(id)) continue;
    const content = vocab.tokenOf(id);
    if (content === undefined || bytes.has(content) || !/^(?:<.+>|\[.+\])$/s.test(content)) continue;
    added.push({ id, content, special: true, normalized: false, singleWord: false, lstrip: false, rstrip: false });
  }
  return added;
}

/** Whether the vocabulary is of StarCoder's family: it has their tokens, and no merge ever touched a digit. */
function splitsDigits(vocab: Vocab, made: ReadonlySet<number>): boolean {
  if (vocab.idOf("<fim_prefix>") < 0 && vocab.idOf("<fim-prefix>") < 0) return false;
  for (const id of made) if (vocab.utf8Of(id)!.some((byte) => byte >= 0x30 && byte <= 0x39)) return false;
  return true;
}
