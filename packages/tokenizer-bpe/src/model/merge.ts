import type { IntList } from "../text/int-list.ts";
import { type MergeTable, NO_RANK } from "./merge-table.ts";

/** Up to here, looking through all pairs for the best one beats keeping a heap of them. */
const SHORT = 40;

/** Positions in a heap entry; ranks take the rest of a double's 53 bits. */
const POSITIONS = 2 ** 29;

/**
 * Applies a merge table to a run of symbols: always the pair of lowest rank, the leftmost of equals, until none is left.
 * Holds scratch space, so one instance serves one model.
 */
export class Merger {
  readonly #table: MergeTable;
  /** The symbols to merge; filled by the caller up to the count passed to `merge`. */
  symbols: Int32Array = new Int32Array(256);
  #slots = new Int32Array(256); // the merge-table slot of the pair that starts here, −1 for none
  #positions = new Int32Array(256); // which initial symbol each remaining one starts at
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #heap = new Float64Array(0);
  #heapSize = 0;

  constructor(table: MergeTable) {
    this.#table = table;
  }

  /** Makes room for this many symbols. */
  reserve(count: number): void {
    if (count <= this.symbols.length) return;
    const length = Math.max(count, this.symbols.length * 2);
    const symbols = new Int32Array(length);
    symbols.set(this.symbols);
    this.symbols = symbols;
    this.#slots = new Int32Array(length);
    this.#positions = new Int32Array(length);
  }

  /** Appends what `count` symbols merge into; `positions` gets the initial symbol that each result starts at. */
  merge(count: number, out: IntList, positions?: IntList): void {
    if (count <= SHORT) this.#mergeShort(count, out, positions);
    else this.#mergeLong(count, out, positions);
  }

  #mergeShort(initial: number, out: IntList, positions: IntList | undefined): void {
    const table = this.#table;
    const symbols = this.symbols;
    const slots = this.#slots;
    let count = initial;
    for (let i = 0; i + 1 < count; i++) slots[i] = table.slot(symbols[i], symbols[i + 1]);
    const starts = this.#positions;
    if (positions !== undefined) for (let i = 0; i < count; i++) starts[i] = i;
    while (count > 1) {
      let best = NO_RANK;
      let at = -1;
      for (let i = 0; i + 1 < count; i++) {
        const slot = slots[i];
        if (slot < 0) continue;
        const rank = table.rankAt(slot);
        if (rank < best) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) break;
      symbols[at] = table.mergedAt(slots[at]);
      count--;
      for (let i = at + 1; i < count; i++) {
        symbols[i] = symbols[i + 1];
        slots[i] = slots[i + 1];
        starts[i] = starts[i + 1];
      }
      if (at > 0) slots[at - 1] = table.slot(symbols[at - 1], symbols[at]);
      if (at + 1 < count) slots[at] = table.slot(symbols[at], symbols[at + 1]);
    }
    for (let i = 0; i < count; i++) out.push(symbols[i]);
    if (positions !== undefined) for (let i = 0; i < count; i++) positions.push(starts[i]);
  }

  /** The same with a heap over a linked list: n log n, whatever the text. */
  #mergeLong(count: number, out: IntList, positions: IntList | undefined): void {
    const table = this.#table;
    const symbols = this.symbols;
    if (this.#next.length < count) {
      this.#next = new Int32Array(count);
      this.#previous = new Int32Array(count);
      this.#heap = new Float64Array(count);
    }
    const next = this.#next;
    const previous = this.#previous;
    this.#heapSize = 0;
    for (let i = 0; i < count; i++) {
      next[i] = i + 1 < count ? i + 1 : -1;
      previous[i] = i - 1;
      if (i + 1 < count) this.#append(symbols, i, i + 1);
    }
    for (let i = (this.#heapSize >> 1) - 1; i >= 0; i--) this.#siftDown(i);

    while (this.#heapSize > 0) {
      const entry = this.#heap[0];
      this.#dropTop();
      const rank = Math.floor(entry / POSITIONS);
      const at = entry - rank * POSITIONS;
      // Entries aren't taken out when a neighbour merges: one whose pair is no longer there, or is another, is stale.
      const right = next[at];
      if (symbols[at] < 0 || right < 0) continue;
      const slot = table.slot(symbols[at], symbols[right]);
      if (slot < 0 || table.rankAt(slot) !== rank) continue;

      symbols[at] = table.mergedAt(slot);
      symbols[right] = -1;
      const after = next[right];
      next[at] = after;
      if (after >= 0) {
        previous[after] = at;
        this.#insert(symbols, at, after);
      }
      const before = previous[at];
      if (before >= 0) this.#insert(symbols, before, at);
    }
    for (let i = 0; i >= 0; i = next[i]) {
      out.push(symbols[i]);
      positions?.push(i);
    }
    if (count > 1 << 20) this.#release();
  }

  /** A text of megabytes shouldn't leave its scratch space behind for good. */
  #release(): void {
    this.symbols = new Int32Array(256);
    this.#slots = new Int32Array(256);
    this.#positions = new Int32Array(256);
    this.#next = this.#previous = new Int32Array(0);
    this.#heap = new Float64Array(0);
  }

  #append(symbols: Int32Array, left: number, right: number): boolean {
    const slot = this.#table.slot(symbols[left], symbols[right]);
    if (slot < 0) return false;
    if (this.#heapSize === this.#heap.length) {
      const heap = new Float64Array(Math.max(64, this.#heap.length * 2));
      heap.set(this.#heap);
      this.#heap = heap;
    }
    this.#heap[this.#heapSize++] = this.#table.rankAt(slot) * POSITIONS + left;
    return true;
  }

  #insert(symbols: Int32Array, left: number, right: number): void {
    if (!this.#append(symbols, left, right)) return;
    const heap = this.#heap;
    let at = this.#heapSize - 1;
    const entry = heap[at];
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent] <= entry) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  #dropTop(): void {
    this.#heap[0] = this.#heap[--this.#heapSize];
    this.#siftDown(0);
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const size = this.#heapSize;
    let at = from;
    const entry = heap[at];
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= entry) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = entry;
  }
}
