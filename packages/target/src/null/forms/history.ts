import type { ForkMove, Row } from "../../session.ts";
import { firstEntry, POISON, secondEntry, stateOf } from "../hash.ts";
import type { CacheForm } from "./cache-form.ts";

/**
 * Net by net, row after row: a prefill net that sees only its own call's tokens and is run at position 0, and a decode net
 * that is given the history, a mask and one token. The host puts new entries where they belong.
 */
export class HistoryForm implements CacheForm {
  readonly #first: Int32Array[]; // per slot, (context)
  readonly #second: Int32Array[];

  constructor(slots: number, context: number) {
    const buffers = (): Int32Array[] => Array.from({ length: slots }, () => new Int32Array(context).fill(POISON));
    this.#first = buffers();
    this.#second = buffers();
  }

  run(rows: readonly Row[]): readonly Int32Array[] {
    return rows.map((row) => (row.at === 0 ? this.#prefill(row) : this.#decode(row)));
  }

  trim(): void {
    // Nothing is moved: what a mask doesn't show isn't there.
  }

  fork(moves: readonly ForkMove[]): void {
    const copies = moves.map(({ from, length }) => this.save(from, length));
    moves.forEach(({ to }, i) => {
      this.restore(to, copies[i]!);
    });
  }

  save(slot: number, length: number): Int32Array {
    const saved = new Int32Array(2 * length);
    saved.set(this.#first[slot]!.subarray(0, length));
    saved.set(this.#second[slot]!.subarray(0, length), length);
    return saved;
  }

  restore(slot: number, saved: Int32Array): void {
    const length = saved.length / 2;
    this.#first[slot]!.fill(POISON).set(saved.subarray(0, length));
    this.#second[slot]!.fill(POISON).set(saved.subarray(length));
  }

  close(): void {
    this.#first.length = 0;
    this.#second.length = 0;
  }

  #prefill({ slot, tokens }: Row): Int32Array {
    const states = new Int32Array(tokens.length);
    let firstSum = 0;
    let secondSum = 0;
    tokens.forEach((token, p) => {
      const first = firstEntry(token, p);
      firstSum = (firstSum + first) | 0;
      const second = secondEntry(firstSum, p);
      secondSum = (secondSum + second) | 0;
      states[p] = stateOf(secondSum);
      this.#first[slot]![p] = first;
      this.#second[slot]![p] = second;
    });
    return states;
  }

  #decode({ slot, at, tokens }: Row): Int32Array {
    return Int32Array.from(tokens, (token, i) => {
      const position = at + i;
      const first = firstEntry(token, position);
      const second = secondEntry((sum(this.#first[slot]!, position) + first) | 0, position);
      const state = stateOf((sum(this.#second[slot]!, position) + second) | 0);
      this.#first[slot]![position] = first;
      this.#second[slot]![position] = second;
      return state;
    });
  }
}

/** What the mask shows: the first `length` entries. */
function sum(entries: Int32Array, length: number): number {
  let total = 0;
  for (let j = 0; j < length; j++) total = (total + entries[j]!) | 0;
  return total;
}
