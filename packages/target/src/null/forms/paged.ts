import type { ForkMove, Row } from "../../session.ts";
import { firstEntry, POISON, secondEntry, stateOf } from "../hash.ts";
import type { CacheForm } from "./cache-form.ts";

const PAGE = 16; // tokens

/** One ragged call over pages that histories share until one of them writes. */
export class PagedForm implements CacheForm {
  readonly #first: Int32Array; // (pages, PAGE)
  readonly #second: Int32Array;
  readonly #users: Int32Array; // per page
  readonly #free: number[];
  readonly #tables: number[][]; // per slot, pages in order

  /** `tokens` in all slots together; each slot may leave one page half empty. */
  constructor(slots: number, tokens: number) {
    const pages = Math.ceil(tokens / PAGE) + slots;
    this.#first = new Int32Array(pages * PAGE).fill(POISON);
    this.#second = new Int32Array(pages * PAGE).fill(POISON);
    this.#users = new Int32Array(pages);
    this.#free = Array.from({ length: pages }, (_, i) => pages - 1 - i);
    this.#tables = Array.from({ length: slots }, () => []);
  }

  run(rows: readonly Row[]): readonly Int32Array[] {
    for (const { slot, at } of rows) this.trim(slot, at);
    return rows.map((row) => this.#row(row));
  }

  trim(slot: number, length: number): void {
    const table = this.#tables[slot]!;
    for (const page of table.splice(Math.ceil(length / PAGE))) this.#release(page);
  }

  fork(moves: readonly ForkMove[]): void {
    const tables = moves.map(({ from, length }) => this.#tables[from]!.slice(0, Math.ceil(length / PAGE)));
    for (const table of tables) for (const page of table) this.#users[page]!++;
    moves.forEach(({ to }, i) => {
      this.trim(to, 0);
      this.#tables[to] = tables[i]!;
    });
  }

  save(slot: number, length: number): Int32Array {
    const saved = new Int32Array(2 * length);
    for (let p = 0; p < length; p++) {
      saved[p] = this.#first[this.#at(slot, p)]!;
      saved[length + p] = this.#second[this.#at(slot, p)]!;
    }
    return saved;
  }

  restore(slot: number, saved: Int32Array): void {
    const length = saved.length / 2;
    this.trim(slot, 0);
    for (let p = 0; p < length; p++) {
      const at = this.#room(slot, p);
      this.#first[at] = saved[p]!;
      this.#second[at] = saved[length + p]!;
    }
  }

  /** Pages in use, for tests of leaks. */
  get pagesInUse(): number {
    return this.#users.length - this.#free.length;
  }

  close(): void {
    for (let slot = 0; slot < this.#tables.length; slot++) this.trim(slot, 0);
  }

  #row({ slot, at, tokens }: Row): Int32Array {
    let firstSum = this.#sum(this.#first, slot, at);
    let secondSum = this.#sum(this.#second, slot, at);
    return Int32Array.from(tokens, (token, i) => {
      const position = at + i;
      const where = this.#room(slot, position);
      firstSum = (firstSum + (this.#first[where] = firstEntry(token, position))) | 0;
      secondSum = (secondSum + (this.#second[where] = secondEntry(firstSum, position))) | 0;
      return stateOf(secondSum);
    });
  }

  #sum(cache: Int32Array, slot: number, length: number): number {
    const table = this.#tables[slot]!;
    let total = 0;
    for (let p = 0; p < length; p += PAGE) {
      const base = table[p / PAGE]! * PAGE;
      const end = base + Math.min(PAGE, length - p);
      for (let j = base; j < end; j++) total = (total + cache[j]!) | 0;
    }
    return total;
  }

  #at(slot: number, position: number): number {
    return this.#tables[slot]![Math.floor(position / PAGE)]! * PAGE + (position % PAGE);
  }

  /** Where to write: a new page at the end, and a copy of a page that others still see. */
  #room(slot: number, position: number): number {
    const table = this.#tables[slot]!;
    const index = Math.floor(position / PAGE);
    if (index === table.length) table.push(this.#take());
    const page = table[index]!;
    if (this.#users[page]! > 1) {
      const copy = this.#take();
      for (const cache of [this.#first, this.#second]) cache.copyWithin(copy * PAGE, page * PAGE, (page + 1) * PAGE);
      this.#release(page);
      table[index] = copy;
    }
    return this.#at(slot, position);
  }

  #take(): number {
    const page = this.#free.pop();
    if (page === undefined) throw new RangeError("no page is free, though the limits said so");
    this.#users[page] = 1;
    this.#first.fill(POISON, page * PAGE, (page + 1) * PAGE);
    this.#second.fill(POISON, page * PAGE, (page + 1) * PAGE);
    return page;
  }

  #release(page: number): void {
    if (--this.#users[page]! === 0) this.#free.push(page);
  }
}
