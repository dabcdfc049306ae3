import type { Row } from "../../session.ts";
import { firstEntry, POISON, secondEntry, stateOf } from "../hash.ts";
import type { CacheForm } from "./cache-form.ts";

/**
 * The recipe's form: one write index for all rows, shorter rows padded on the left, a retained mask. The graph marks the
 * last column it writes as valid for every row, which is why a row that is held can't sit out a step.
 */
export class AppendForm implements CacheForm {
  readonly #slots: number;
  readonly #context: number;
  readonly #first: Int32Array; // (slots, context)
  readonly #second: Int32Array;
  readonly #mask: Uint8Array; // (slots, context)
  #index = 0;

  constructor(slots: number, context: number) {
    this.#slots = slots;
    this.#context = context;
    this.#first = new Int32Array(slots * context).fill(POISON);
    this.#second = new Int32Array(slots * context).fill(POISON);
    this.#mask = new Uint8Array(slots * context);
  }

  run(rows: readonly Row[]): readonly Int32Array[] {
    if (rows.length === 0) return [];
    if (rows.every(({ at }) => at === 0)) {
      this.#index = 0;
      this.#mask.fill(0);
    }
    const width = rows.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
    const states: Int32Array[] = rows.map(() => new Int32Array(0));
    for (let slot = 0; slot < this.#slots; slot++) {
      const index = rows.findIndex((row) => row.slot === slot);
      const out = this.#lane(slot, width, rows[index]);
      if (index >= 0) states[index] = out;
    }
    this.#index += width;
    return states;
  }

  trim(): void {
    // A slot that was given up keeps its lane; nobody looks at it until all start anew.
  }

  close(): void {}

  /** One row of the call; without a row, its lane is run on padding all the same. */
  #lane(slot: number, width: number, row: Row | undefined): Int32Array {
    const base = slot * this.#context;
    const count = row?.tokens.length ?? 0;
    const start = base + this.#index;
    for (let i = 0; i < width; i++) this.#mask[start + i] = i >= width - count ? 1 : 0;
    this.#mask[start + width - 1] = 1;
    const position = (i: number): number => (row && i >= width - count ? row.at + i - (width - count) : 0);
    const token = (i: number): number => (row && i >= width - count ? row.tokens[i - (width - count)]! : 0);
    const states = new Int32Array(width);
    for (let i = 0; i < width; i++) this.#first[start + i] = firstEntry(token(i), position(i));
    for (let i = 0; i < width; i++)
      this.#second[start + i] = secondEntry(this.#seen(this.#first, base, start + i), position(i));
    for (let i = 0; i < width; i++) states[i] = stateOf(this.#seen(this.#second, base, start + i));
    return states.subarray(width - count);
  }

  #seen(cache: Int32Array, base: number, last: number): number {
    let total = 0;
    for (let j = base; j <= last; j++) if (this.#mask[j]) total = (total + cache[j]!) | 0;
    return total;
  }
}
