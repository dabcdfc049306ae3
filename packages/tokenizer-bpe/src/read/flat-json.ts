import { invalid } from "../error.ts";
import type { MergeTable } from "../model/merge-table.ts";
import { hashBytes, Vocab, VocabEntries } from "../model/vocab.ts";
import { eachItem, eachMember, type Range, readInteger, skipSpace, skipValue } from "../text/json-scan.ts";
import { StringCopier } from "../text/json-string.ts";
import { rustNumber } from "../text/rust-number.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { MergeBuilder } from "./merge-builder.ts";

/** `{"token": id, …}` as a vocabulary. */
export function readVocabObject(json: Uint8Array, range: Range): Vocab {
  const tokens = new StringCopier(json, range.end - range.start);
  const entries = new VocabEntries();
  const id = { value: 0, end: 0 };
  eachMember(json, range.start, (at) => {
    const start = tokens.length;
    const colon = skipSpace(json, tokens.copy(at));
    if (json[colon] !== 0x3a) throw invalid(`has no ":" at byte ${colon}`);
    readInteger(json, skipSpace(json, colon + 1), id);
    entries.push(id.value, start, tokens.length, hashBytes(tokens.target, start, tokens.length));
    return id.end;
  });
  return new Vocab(tokens.target.slice(0, tokens.length), entries);
}

/** `["a b", …]`, or `[["a", "b"], …]` as newer files have it, since tokens may hold spaces. */
export function readMerges(json: Uint8Array, range: Range, vocab: Vocab, continuingPrefix: string): MergeTable {
  const builder = new MergeBuilder(vocab, continuingPrefix, (range.end - range.start) / 12);
  const pair = new StringCopier(json, range.end - range.start);
  eachItem(json, range.start, (at) => {
    pair.length = 0;
    if (json[at] === 0x22) {
      const end = pair.copy(at);
      builder.addSpaced(pair.target, pair.length);
      return end;
    }
    if (json[at] !== 0x5b) throw invalid(`has no merge at byte ${at}`);
    const comma = skipSpace(json, pair.copy(skipSpace(json, at + 1)));
    const middle = pair.length;
    if (json[comma] !== 0x2c) throw invalid(`has no "," at byte ${comma}`);
    const close = skipSpace(json, pair.copy(skipSpace(json, comma + 1)));
    if (json[close] !== 0x5d) throw invalid(`has no "]" at byte ${close}`);
    builder.add(pair.target, middle, pair.length);
    return close + 1;
  });
  return builder.table;
}

/** `[["token", score], …]`, in order of ids. */
export function readScoredVocab(json: Uint8Array, range: Range): { vocab: Vocab; scores: Float64Array } {
  const tokens = new StringCopier(json, range.end - range.start);
  const entries = new VocabEntries();
  const scores: number[] = [];
  eachItem(json, range.start, (at) => {
    if (json[at] !== 0x5b) throw invalid(`vocabulary entry ${entries.length} is not a token with a score`);
    const start = tokens.length;
    const comma = skipSpace(json, tokens.copy(skipSpace(json, at + 1)));
    if (json[comma] !== 0x2c) throw invalid(`has no "," at byte ${comma}`);
    const number = skipSpace(json, comma + 1);
    const end = skipValue(json, number);
    scores.push(rustNumber(decodeUtf8(json.subarray(number, end))));
    entries.push(entries.length, start, tokens.length, hashBytes(tokens.target, start, tokens.length));
    const close = skipSpace(json, end);
    if (json[close] !== 0x5d) throw invalid(`has no "]" at byte ${close}`);
    return close + 1;
  });
  return { vocab: new Vocab(tokens.target.slice(0, tokens.length), entries), scores: Float64Array.from(scores) };
}
