/** No such merge. */
export const NO_RANK = 0x7fffffff;

/**
 * Which pairs of tokens merge, into what and how early: an open hash table in one Int32Array, four integers a slot, so that
 * a lookup touches one cache line. As a Map keyed by "a b" strings it would be ten times as slow and as large.
 */
export class MergeTable {
  #slots: Int32Array; // left + 1 (0 = empty), right, rank, merged
  #mask: number;
  #count = 0;

  constructor(expected: number) {
    let capacity = 16;
    while (capacity < expected * 1.6) capacity *= 2;
    this.#slots = new Int32Array(capacity * 4);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#count;
  }

  /** Adds a merge; of a pair listed twice the later counts, as in the Rust library's map. */
  set(left: number, right: number, rank: number, merged: number): void {
    if (this.#count * 4 > this.#mask * 3) this.#grow();
    const at = this.#find(left, right);
    if (this.#slots[at] === 0) this.#count++;
    this.#slots[at] = left + 1;
    this.#slots[at + 1] = right;
    this.#slots[at + 2] = rank;
    this.#slots[at + 3] = merged;
  }

  /** The slot of a pair, or −1; `rankAt` and `mergedAt` read it. */
  slot(left: number, right: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let index = mix(left, right) & mask;
    for (;;) {
      const at = index * 4;
      const key = slots[at];
      if (key === 0) return -1;
      if (key === left + 1 && slots[at + 1] === right) return at;
      index = (index + 1) & mask;
    }
  }

  rankAt(slot: number): number {
    return this.#slots[slot + 2];
  }

  mergedAt(slot: number): number {
    return this.#slots[slot + 3];
  }

  /** Every token that some pair makes. */
  mergedIds(): Set<number> {
    const ids = new Set<number>();
    for (let at = 0; at < this.#slots.length; at += 4) if (this.#slots[at] !== 0) ids.add(this.#slots[at + 3]);
    return ids;
  }

  #find(left: number, right: number): number {
    let index = mix(left, right) & this.#mask;
    for (;;) {
      const at = index * 4;
      const key = this.#slots[at];
      if (key === 0 || (key === left + 1 && this.#slots[at + 1] === right)) return at;
      index = (index + 1) & this.#mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#slots.length / 4 - 1;
    for (let at = 0; at < old.length; at += 4) {
      if (old[at] === 0) continue;
      this.#slots.set(old.subarray(at, at + 4), this.#find(old[at] - 1, old[at + 1]));
    }
  }
}

function mix(left: number, right: number): number {
  const hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
  return hash ^ (hash >>> 15);
}
