import { invalid, TokenizerError } from "../error.ts";
import { MAX_TOKEN_ID } from "../limits.ts";
import { decodeUtf8, encodeUtf8 } from "../text/utf8.ts";

/** Start value and step of the hash (FNV-1a); readers hash while they copy, so both are public. */
export const HASH_SEED = 0x811c9dc5 | 0;
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number = HASH_SEED): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}

/**
 * Token strings and ids, both ways, in a handful of typed arrays: the UTF-8 bytes of all tokens in one block and an open
 * hash table over them. 150,000 tokens as JavaScript strings in a Map would cost more to make than the whole load may take.
 */
export class Vocab {
  /** One past the largest id. */
  readonly size: number;
  /** How many ids have a token; less than `size` where ids are left out. */
  readonly count: number;
  /** The UTF-8 length of the longest token. */
  readonly longest: number;
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #table: Int32Array; // pairs: hash, id + 1 (0 = empty)
  readonly #mask: number;

  constructor(bytes: Uint8Array, entries: readonly { id: number; start: number; end: number }[] | VocabEntries) {
    const list = entries instanceof VocabEntries ? entries : VocabEntries.from(bytes, entries);
    this.#bytes = bytes;
    this.size = list.maxId + 1;
    this.#starts = new Int32Array(this.size).fill(-1);
    this.#ends = new Int32Array(this.size);
    let capacity = 16;
    while (capacity < list.length * 1.5) capacity *= 2;
    this.#table = new Int32Array(capacity * 2);
    this.#mask = capacity - 1;
    for (let i = 0; i < list.length; i++) this.#add(list.ids[i], list.starts[i], list.ends[i], list.hashes[i]);
    let count = 0;
    let longest = 0;
    for (let id = 0; id < this.size; id++) {
      if (this.#starts[id] < 0) continue;
      count++;
      longest = Math.max(longest, this.#ends[id] - this.#starts[id]);
    }
    this.count = count;
    this.longest = longest;
  }

  /** A vocabulary of token strings by id; `undefined` leaves an id out. */
  static fromTokens(tokens: readonly (string | undefined)[]): Vocab {
    const encoded = tokens.map((token) => (token === undefined ? undefined : encodeUtf8(token)));
    const bytes = new Uint8Array(encoded.reduce((sum, token) => sum + (token?.length ?? 0), 0));
    const entries = new VocabEntries();
    let at = 0;
    for (const [id, token] of encoded.entries()) {
      if (token === undefined) continue;
      bytes.set(token, at);
      entries.push(id, at, at + token.length, hashBytes(token, 0, token.length));
      at += token.length;
    }
    return new Vocab(bytes, entries);
  }

  #add(id: number, start: number, end: number, hash: number): void {
    let slot = hash & this.#mask;
    while (this.#table[slot * 2 + 1] !== 0) {
      if (this.#table[slot * 2] === hash) {
        const other = this.#table[slot * 2 + 1] - 1;
        if (this.is(other, this.#bytes, start, end)) break; // the later of two equal keys wins, as in JSON
      }
      slot = (slot + 1) & this.#mask;
    }
    this.#table[slot * 2] = hash;
    this.#table[slot * 2 + 1] = id + 1;
    this.#starts[id] = start;
    this.#ends[id] = end;
  }

  /** Whether an id's token has these UTF-8 bytes. */
  is(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[id];
    if (!(from >= 0) || this.#ends[id] - from !== end - start) return false; // ids out of range have no start
    for (let i = start, j = from; i < end; i++, j++) if (bytes[i] !== this.#bytes[j]) return false;
    return true;
  }

  /** The id of the token with these UTF-8 bytes, or −1. */
  find(bytes: Uint8Array, start: number, end: number, hash: number = hashBytes(bytes, start, end)): number {
    let slot = hash & this.#mask;
    let id = this.#table[slot * 2 + 1] - 1;
    while (id >= 0) {
      if (this.#table[slot * 2] === hash && this.is(id, bytes, start, end)) return id;
      slot = (slot + 1) & this.#mask;
      id = this.#table[slot * 2 + 1] - 1;
    }
    return -1;
  }

  /** The id of a token string, or −1. */
  idOf(token: string): number {
    const bytes = encodeUtf8(token);
    return this.find(bytes, 0, bytes.length);
  }

  /** The token's string, or undefined where the id has none. */
  tokenOf(id: number): string | undefined {
    const bytes = this.utf8Of(id);
    return bytes === undefined ? undefined : decodeUtf8(bytes);
  }

  /** The token string's UTF-8 bytes; a view, not to be changed. */
  utf8Of(id: number): Uint8Array | undefined {
    const start = this.#starts[id];
    return start === undefined || start < 0 ? undefined : this.#bytes.subarray(start, this.#ends[id]);
  }
}

/** What a reader collects for a `Vocab`, in flat arrays. */
export class VocabEntries {
  ids: Int32Array = new Int32Array(1024);
  starts: Int32Array = new Int32Array(1024);
  ends: Int32Array = new Int32Array(1024);
  hashes: Int32Array = new Int32Array(1024);
  length = 0;
  maxId = -1;

  static from(bytes: Uint8Array, entries: readonly { id: number; start: number; end: number }[]): VocabEntries {
    const list = new VocabEntries();
    for (const { id, start, end } of entries) list.push(id, start, end, hashBytes(bytes, start, end));
    return list;
  }

  push(id: number, start: number, end: number, hash: number): void {
    if (!Number.isInteger(id) || id < 0) throw invalid(`token id ${id} is not a whole number from 0 on`);
    if (id > MAX_TOKEN_ID) throw new TokenizerError("limit-exceeded", `token id ${id} is above ${MAX_TOKEN_ID}`);
    if (this.length === this.ids.length) {
      for (const key of ["ids", "starts", "ends", "hashes"] as const) {
        const grown = new Int32Array(this.length * 2);
        grown.set(this[key]);
        this[key] = grown;
      }
    }
    this.ids[this.length] = id;
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.hashes[this.length++] = hash;
    if (id > this.maxId) this.maxId = id;
  }
}
