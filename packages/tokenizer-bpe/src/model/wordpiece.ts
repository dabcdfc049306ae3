import type { IntList } from "../text/int-list.ts";
import type { Units } from "../text/units.ts";
import { encodeUtf8 } from "../text/utf8.ts";
import { type Utf8, utf8OfUnits } from "../text/utf8-units.ts";
import type { Model } from "./model.ts";
import { HASH_SEED, hashByte, type Vocab } from "./vocab.ts";

export interface WordPieceOptions {
  readonly vocab: Vocab;
  readonly unknown: string;
  readonly continuingPrefix: string;
  /** Longer words are unknown as a whole. */
  readonly maxChars: number;
}

/** BERT's splitting of a word: always the longest token that fits, or the unknown token for the whole word. */
export class WordPieceModel implements Model {
  readonly vocab: Vocab;
  readonly #options: WordPieceOptions;
  readonly #unknownId: number;
  readonly #prefix: Uint8Array;

  constructor(options: WordPieceOptions) {
    this.vocab = options.vocab;
    this.#options = options;
    this.#prefix = encodeUtf8(options.continuingPrefix);
    this.#unknownId = options.vocab.idOf(options.unknown);
  }

  encode(source: Units, start: number, end: number, out: IntList, spans?: IntList): void {
    const before = out.length;
    const spansBefore = spans?.length ?? 0;
    const text = utf8OfUnits(source.units, start, end, true);
    let from = 0;
    if (charCount(text) <= this.#options.maxChars) {
      while (from < text.length) {
        const to = this.#longest(text, from, out);
        if (to < 0) break;
        spans?.push(text.starts![from]);
        spans?.push(text.ends![to - 1]);
        from = to;
      }
    }
    if (from === text.length) return;
    out.length = before;
    if (spans !== undefined) spans.length = spansBefore;
    if (this.#unknownId < 0) return;
    out.push(this.#unknownId);
    spans?.push(start);
    spans?.push(end);
  }

  /** Appends the longest token that starts at a byte; returns where it ends, or −1 when there is none. */
  #longest(text: Utf8, from: number, out: IntList): number {
    const prefix = from === 0 ? none : this.#prefix;
    const { vocab } = this;
    const word = new Uint8Array(prefix.length + text.length - from);
    word.set(prefix);
    word.set(text.bytes.subarray(from, text.length), prefix.length);
    // The hash of every beginning, so that trying ever shorter ones costs a look-up each and no more.
    const hashes = new Int32Array(word.length + 1);
    hashes[0] = HASH_SEED;
    for (let at = 0; at < word.length; at++) hashes[at + 1] = hashByte(hashes[at], word[at]);
    for (let end = Math.min(word.length, vocab.longest); end > prefix.length; end--) {
      const inside = end < word.length && (word[end] & 0xc0) === 0x80;
      const id = inside ? -1 : vocab.find(word, 0, end, hashes[end]);
      if (id < 0) continue;
      out.push(id);
      return from + end - prefix.length;
    }
    return -1;
  }
}

const none = new Uint8Array(0);

function charCount(text: Utf8): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if ((text.bytes[at] & 0xc0) !== 0x80) count++;
  return count;
}
