import type { Row } from "../../session.ts";
import { ABSENT, type FixedCall, type FixedShapes, fit } from "../../shapes/index.ts";
import { firstEntry, POISON, secondEntry, stateOf } from "../hash.ts";
import type { CacheForm } from "./cache-form.ts";

/**
 * Calls of fixed shapes over a retained buffer of the whole context, written at positions, the mask derived from them.
 * With a batch index absent tokens are dropped; without one their position wraps around to the last entry, which is then
 * overwritten for good: such a device can't use its last position.
 */
export class ScatterForm implements CacheForm {
  readonly #shapes: FixedShapes;
  readonly #context: number;
  readonly #first: Int32Array; // (slots, context)
  readonly #second: Int32Array;

  constructor(shapes: FixedShapes, context: number) {
    this.#shapes = shapes;
    this.#context = context;
    this.#first = new Int32Array(shapes.slots * context).fill(POISON);
    this.#second = new Int32Array(shapes.slots * context).fill(POISON);
  }

  run(rows: readonly Row[]): readonly Int32Array[] {
    const states = rows.map(({ tokens }) => new Int32Array(tokens.length));
    for (const call of fit(rows, this.#shapes)) {
      const out = this.#call(call);
      for (const { row, index, lane, column } of call.outputs) {
        const { tokens, want } = rows[row]!;
        states[row]![tokens.length - want!.last + index] = out[lane * call.width + column]!;
      }
    }
    return states;
  }

  trim(): void {
    // Positions past a query's own are never shown, and are written before they are.
  }

  close(): void {}

  #call({ lanes, width, ids, positions, slots }: FixedCall): Int32Array {
    const layer = (cache: Int32Array, entry: (at: number, position: number) => number): Int32Array => {
      const seen = new Int32Array(lanes * width);
      for (let lane = 0; lane < lanes; lane++) {
        const base = slots[lane]! * this.#context;
        for (let at = lane * width; at < (lane + 1) * width; at++)
          this.#write(cache, base, positions[at]!, entry(at, positions[at]!));
        for (let at = lane * width; at < (lane + 1) * width; at++) {
          let total = 0;
          for (let j = base; j <= base + positions[at]!; j++) total = (total + cache[j]!) | 0;
          seen[at] = total;
        }
      }
      return seen;
    };
    const firstSeen = layer(this.#first, (at, position) => firstEntry(ids[at]!, position));
    const secondSeen = layer(this.#second, (at, position) => secondEntry(firstSeen[at]!, position));
    return secondSeen.map(stateOf);
  }

  #write(cache: Int32Array, base: number, position: number, entry: number): void {
    if (position !== ABSENT) cache[base + position] = entry;
    else if (!this.#shapes.batchIndex) cache[base + this.#context - 1] = entry;
  }
}
