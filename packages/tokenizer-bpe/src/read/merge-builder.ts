import { invalid, printable, TokenizerError } from "../error.ts";
import { MAX_MERGES } from "../limits.ts";
import { MergeTable } from "../model/merge-table.ts";
import { hashBytes, type Vocab } from "../model/vocab.ts";
import { decodeUtf8 } from "../text/utf8.ts";

/** Turns pairs of token strings, in order of rank, into a merge table over ids. */
export class MergeBuilder {
  readonly table: MergeTable;
  readonly #vocab: Vocab;
  readonly #prefix: string;
  #rank = 0;
  #last = -1;

  /** `continuingPrefix` is what the right side loses when it is merged (`##` in some vocabularies, mostly none). */
  constructor(vocab: Vocab, continuingPrefix: string, expected: number) {
    this.table = new MergeTable(Math.min(expected, MAX_MERGES));
    this.#vocab = vocab;
    this.#prefix = continuingPrefix;
  }

  /** Adds the pair whose left side is the first `middle` bytes and whose right side is the rest up to `length`. */
  add(bytes: Uint8Array, middle: number, length: number): void {
    const rank = this.#rank++;
    if (rank > MAX_MERGES) throw new TokenizerError("limit-exceeded", `has more than ${MAX_MERGES} merges`);
    const leftHash = hashBytes(bytes, 0, middle);
    const left = this.#vocab.find(bytes, 0, middle, leftHash);
    const right = this.#vocab.find(bytes, middle, length);
    const merged =
      this.#prefix === ""
        ? this.#whole(bytes, middle, length, leftHash)
        : this.#mergedWithoutPrefix(bytes, middle, length);
    if (left < 0 || right < 0 || merged < 0) throw missing(bytes, middle, length, rank);
    this.table.set(left, right, rank, merged);
  }

  /** Adds a pair written as `left right`; moves the right side over the space. */
  addSpaced(bytes: Uint8Array, length: number): void {
    let space = 0;
    while (space < length && bytes[space] !== 0x20) space++;
    for (let at = space + 1; at < length; at++) {
      if (bytes[at] === 0x20) throw this.#notTwo(bytes, length);
      bytes[at - 1] = bytes[at];
    }
    if (space === length) throw this.#notTwo(bytes, length);
    this.add(bytes, space, length - 1);
  }

  #notTwo(bytes: Uint8Array, length: number): TokenizerError {
    return invalid(`merge ${this.#rank} is not two tokens: ${printable(decodeUtf8(bytes.subarray(0, length)))}`);
  }

  /** Training gave ids in the order of merges, so what a merge makes mostly comes right after what the last one made. */
  #whole(bytes: Uint8Array, middle: number, length: number, leftHash: number): number {
    const next = this.#last + 1;
    this.#last = this.#vocab.is(next, bytes, 0, length)
      ? next
      : this.#vocab.find(bytes, 0, length, hashBytes(bytes, middle, length, leftHash));
    return this.#last;
  }

  #mergedWithoutPrefix(bytes: Uint8Array, middle: number, length: number): number {
    const right = decodeUtf8(bytes.subarray(middle, length));
    const bare = right.startsWith(this.#prefix) ? right.slice(this.#prefix.length) : right;
    return this.#vocab.idOf(decodeUtf8(bytes.subarray(0, middle)) + bare);
  }
}

function missing(bytes: Uint8Array, middle: number, length: number, rank: number): TokenizerError {
  const left = printable(decodeUtf8(bytes.subarray(0, middle)));
  const right = printable(decodeUtf8(bytes.subarray(middle, length)));
  return invalid(`merge ${rank} joins ${left} and ${right}, but they or what they make is not in the vocabulary`);
}
