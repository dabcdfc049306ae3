import { ByteTrie } from "../text/byte-trie.ts";
import { IntList } from "../text/int-list.ts";
import type { Units } from "../text/units.ts";
import { type Utf8, utf8OfUnits } from "../text/utf8-units.ts";
import { byteToken } from "./bpe.ts";
import type { Model } from "./model.ts";
import type { Vocab } from "./vocab.ts";

export interface UnigramOptions {
  readonly vocab: Vocab;
  /** By id: the logarithm of each token's probability. */
  readonly scores: Float64Array;
  readonly unknownId: number | undefined;
  readonly byteFallback: boolean;
  /** Which tokens may be found in text; all, unless said. */
  readonly usable?: (id: number) => boolean;
  /** Tokens that win over any other way to split their text (SentencePiece's user-defined symbols). */
  readonly preferred?: (id: number) => boolean;
  /** Add up scores in single precision, as SentencePiece does; the Rust library uses double. */
  readonly singlePrecision?: boolean;
}

/** How much worse than the worst token an unknown character is; both implementations say so. */
const UNKNOWN_PENALTY = 10;

/** The most probable way to split text into tokens, by dynamic programming over its bytes. */
export class UnigramModel implements Model {
  readonly vocab: Vocab;
  readonly #options: UnigramOptions;
  readonly #byteIds: Int32Array | undefined;
  #trie: ByteTrie | undefined;
  #scores: Float64Array = new Float64Array(0);
  #unknownScore = 0;
  #maxScore = 0;

  constructor(options: UnigramOptions) {
    this.vocab = options.vocab;
    this.#options = options;
    const bytes = Int32Array.from({ length: 256 }, (_, byte) => options.vocab.idOf(byteToken(byte)));
    this.#byteIds = options.byteFallback && !bytes.includes(-1) ? bytes : undefined;
  }

  encode(source: Units, start: number, end: number, out: IntList, spans?: IntList): void {
    const text = utf8OfUnits(source.units, start, end, spans !== undefined);
    const { ids, starts } = this.#best(text.bytes, text.length);
    // Backwards from the end, then forwards: where each token of the best path ends.
    const path = new IntList();
    for (let at = text.length; at > 0; at = starts[at]) path.push(at);
    for (let i = path.length - 1, from = 0; i >= 0; i--) {
      let to = path.values[i];
      const id = ids[to];
      if (!this.#isUnknown(id)) {
        out.push(id);
        spans?.push(text.starts![from]);
        spans?.push(text.ends![to - 1]);
      } else {
        while (i > 0 && this.#isUnknown(ids[path.values[i - 1]])) to = path.values[--i];
        this.#pushUnknown(text, from, to, out, spans);
      }
      from = to;
    }
  }

  /** Unknown characters in a row are one, together with the unknown token where the text writes it out. */
  #isUnknown(id: number): boolean {
    return id < 0 || id === this.#options.unknownId;
  }

  #pushUnknown(text: Utf8, from: number, to: number, out: IntList, spans: IntList | undefined): void {
    const { unknownId, usable } = this.#options;
    const writtenOut =
      unknownId !== undefined && usable === undefined && this.vocab.is(unknownId, text.bytes, from, to);
    const byteIds = writtenOut ? undefined : this.#byteIds;
    if (byteIds !== undefined) {
      for (let at = from; at < to; at++) {
        out.push(byteIds[text.bytes[at]]);
        spans?.push(text.starts![from]);
        spans?.push(text.ends![to - 1]);
      }
    } else if (unknownId !== undefined) {
      out.push(unknownId);
      spans?.push(text.starts![from]);
      spans?.push(text.ends![to - 1]);
    }
  }

  /** For each byte position that a token ends at: which token, −1 for an unknown character, and where it starts. */
  #best(bytes: Uint8Array, length: number): { ids: Int32Array; starts: Int32Array } {
    const trie = (this.#trie ??= this.#buildTrie());
    const round = this.#options.singlePrecision ? Math.fround : (score: number) => score;
    const ids = new Int32Array(length + 1);
    const starts = new Int32Array(length + 1).fill(-1);
    const best = new Float64Array(length + 1);
    for (let from = 0; from < length; ) {
      const width = Math.min(charBytes(bytes[from]), length - from);
      const before = best[from];
      let single = false;
      for (let at = from, node = 0; at < length; ) {
        node = trie.step(node, bytes[at++]);
        if (node < 0) break;
        const id = trie.valueAt(node);
        if (id < 0) continue;
        const score = round(this.#scoreOf(id, at - from) + before);
        if (starts[at] < 0 || score > best[at]) {
          best[at] = score;
          ids[at] = id;
          starts[at] = from;
        }
        if (at - from === width) single = true;
      }
      if (!single) {
        const to = from + width;
        const score = round(this.#unknownScore + before);
        if (starts[to] < 0 || score > best[to]) {
          best[to] = score;
          ids[to] = -1;
          starts[to] = from;
        }
      }
      from += width;
    }
    return { ids, starts };
  }

  #scoreOf(id: number, bytes: number): number {
    return this.#options.preferred?.(id) ? bytes * this.#maxScore - 0.1 : this.#scores[id];
  }

  #buildTrie(): ByteTrie {
    const { vocab, scores, usable, singlePrecision } = this.#options;
    const trie = new ByteTrie();
    this.#scores = singlePrecision ? Float64Array.from(scores, Math.fround) : scores;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let id = 0; id < vocab.size; id++) {
      const token = vocab.utf8Of(id);
      if (token === undefined || (usable !== undefined && !usable(id))) continue;
      if (usable === undefined || !this.#options.preferred?.(id)) {
        least = Math.min(least, this.#scores[id]);
        most = Math.max(most, this.#scores[id]);
      }
      if (token.length > 0) trie.add(token, id);
    }
    this.#maxScore = most;
    this.#unknownScore = (Number.isFinite(least) ? least : 0) - UNKNOWN_PENALTY;
    if (singlePrecision) this.#unknownScore = Math.fround(this.#unknownScore);
    return trie;
  }
}

/** How many bytes the character has that begins with this byte. */
function charBytes(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
