import type { IntList } from "../text/int-list.ts";

/** Longer words are rare and seldom come twice. */
export const MAX_CACHED_UNITS = 64;

/** Text of any size has few enough different words for this; full, the cache starts anew. */
const MAX_WORDS = 1 << 17;

/**
 * What each word was split into, by its UTF-16 units: keys and ids lie in two arenas, slots are four integers. Nothing is
 * allocated per word, neither on a hit nor on a miss.
 */
export class WordCache {
  #slots = new Int32Array(4 << 12); // hash, key start, length << 16 | id count, ids start; length 0 = empty
  #mask = (1 << 12) - 1;
  #words = 0;
  #keys = new Uint16Array(1 << 14);
  #keysUsed = 0;
  #ids = new Int32Array(1 << 13);
  #idsUsed = 0;

  /** Appends the word's ids and returns true, or returns false when it isn't known. */
  find(units: Uint16Array, start: number, end: number, hash: number, out: IntList): boolean {
    const slots = this.#slots;
    const mask = this.#mask;
    const length = end - start;
    let index = hash & mask;
    for (;;) {
      const at = index << 2;
      const sizes = slots[at + 2];
      if (sizes === 0) return false;
      if (slots[at] === hash && sizes >>> 16 === length) {
        const keys = this.#keys;
        const key = slots[at + 1];
        let i = 0;
        while (i < length && keys[key + i] === units[start + i]) i++;
        if (i === length) {
          const count = sizes & 0xffff;
          if (count === 1) out.push(this.#ids[slots[at + 3]]);
          else out.pushFrom(this.#ids, slots[at + 3], count);
          return true;
        }
      }
      index = (index + 1) & mask;
    }
  }

  /** Remembers a word of at most `MAX_CACHED_UNITS`; its ids are the last ones of the list, from `idsStart` on. */
  add(units: Uint16Array, start: number, end: number, hash: number, out: IntList, idsStart: number): void {
    if (this.#words >= MAX_WORDS) this.#clear();
    if (this.#words * 2 > this.#mask) this.#grow();
    const length = end - start;
    const count = out.length - idsStart;
    if (this.#keysUsed + length > this.#keys.length) {
      const keys = new Uint16Array(this.#keys.length * 2);
      keys.set(this.#keys);
      this.#keys = keys;
    }
    while (this.#idsUsed + count > this.#ids.length) {
      const ids = new Int32Array(this.#ids.length * 2);
      ids.set(this.#ids);
      this.#ids = ids;
    }
    for (let i = 0; i < length; i++) this.#keys[this.#keysUsed + i] = units[start + i];
    for (let i = 0; i < count; i++) this.#ids[this.#idsUsed + i] = out.values[idsStart + i];
    const at = this.#free(hash);
    this.#slots[at] = hash;
    this.#slots[at + 1] = this.#keysUsed;
    this.#slots[at + 2] = (length << 16) | count;
    this.#slots[at + 3] = this.#idsUsed;
    this.#keysUsed += length;
    this.#idsUsed += count;
    this.#words++;
  }

  #free(hash: number): number {
    let index = hash & this.#mask;
    while (this.#slots[(index << 2) + 2] !== 0) index = (index + 1) & this.#mask;
    return index << 2;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#slots.length / 4 - 1;
    for (let at = 0; at < old.length; at += 4)
      if (old[at + 2] !== 0) this.#slots.set(old.subarray(at, at + 4), this.#free(old[at]));
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#words = this.#keysUsed = this.#idsUsed = 0;
  }
}

/** The hash that `WordCache` expects. */
export function hashUnits(units: Uint16Array, start: number, end: number): number {
  let hash = 0x2545f491 ^ (end - start);
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ units[i], 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
