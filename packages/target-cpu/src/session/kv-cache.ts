import { elementsOf, type OrtPort, type OrtTensor, ortTensor } from "@llm/runtime-native/ort";
import { type ForkMove, SessionError } from "@llm/target";
import { addressesCount } from "./addresses.ts";

/** Columns are added this many at a time, and at least a quarter more: each growth moves what is there. */
const STEP = 128;
const GROWTH = 1.25;

/** Runs of slots whose views are kept: those of a usual server. Each takes some kilobytes for each state, and there are slots² / 2. */
const KEPT_VIEWS = 64;

/** One state: [batch, heads, context, width] for keys and values, [batch, context, width] for latent vectors. */
interface Store {
  readonly name: string;
  readonly shape: OrtPort["shape"];
  readonly heads: number;
  readonly width: number;
  data: Float32Array<ArrayBuffer>; // (slots, heads, capacity, width)
}

/** How many columns there are after room for `wanted` was asked of a cache that had `capacity`. */
export function grownCapacity(capacity: number, wanted: number, most: number): number {
  if (wanted <= capacity) return capacity;
  return Math.min(most, Math.ceil(Math.max(wanted, capacity * GROWTH) / STEP) * STEP);
}

/**
 * Keys and values of every slot, where attention reads and writes them. Slots lie one after another, so that a run of them is
 * a view. Room grows with what is held, so that a short conversation doesn't pay for the longest possible one.
 */
export class KvCache {
  readonly slots: number;
  /** Most columns there will ever be. */
  readonly most: number;
  readonly #stores: readonly Store[];
  readonly #fill: number;
  /** By first and count, the one that was used last at the end. */
  readonly #views = new Map<string, Readonly<Record<string, OrtTensor>>>();
  #capacity = 0;
  /** For the most columns of every store; undefined where the system promises no more memory than it has. */
  #room: ArrayBuffer | undefined;

  /** `fill` is put where nothing was written: tests say NaN, so that reading it shows. */
  constructor(states: readonly OrtPort[], slots: number, most: number, fill = 0) {
    this.slots = slots;
    this.most = most;
    this.#fill = fill;
    this.#stores = states.map(({ name, shape }) => ({
      name,
      shape,
      heads: elementsOf(fixed(shape.slice(1, -2))),
      width: fixed(shape.slice(-1))[0]!,
      data: new Float32Array(0),
    }));
  }

  /** Columns there is room for now. */
  get capacity(): number {
    return this.#capacity;
  }

  get bytes(): number {
    return this.#stores.reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  /**
   * Makes room for `columns` in every slot, of which the first `held` columns matter: no others are moved, because what is
   * written to takes memory. Where memory can't be had, nothing changes.
   */
  reserve(columns: number, held: (slot: number) => number): void {
    const capacity = grownCapacity(this.#capacity, columns, this.most);
    if (capacity === this.#capacity) return;
    if (this.#capacity === 0) this.#room = unwritten(4 * this.slots * this.most * this.columnFloats);
    const wide = this.#places(capacity);
    this.#stores.forEach((store, i) => {
      this.#widen(store, capacity, wide[i]!, held);
    });
    this.#capacity = capacity;
    this.#views.clear();
  }

  /** Where each store is to lie with so many columns. */
  #places(capacity: number): readonly Float32Array<ArrayBuffer>[] {
    let at = 0;
    try {
      return this.#stores.map(({ heads, width }) => {
        const size = this.slots * heads * capacity * width;
        const from = at;
        at += 4 * this.slots * heads * this.most * width;
        return this.#room ? new Float32Array(this.#room, from, size) : new Float32Array(size);
      });
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      const wanted = `${capacity} tokens in each of ${this.slots} slots`;
      throw new SessionError("cache", `the system gives no memory for ${wanted}`, { cause });
    }
  }

  /** Moves what each head holds apart, so that there is room for more; in the same memory where that was promised. */
  #widen(store: Store, capacity: number, wide: Float32Array<ArrayBuffer>, held: (slot: number) => number): void {
    const { heads, width, data } = store;
    const [before, after] = [this.#capacity * width, capacity * width];
    // The last first: what moves never lands on what is still to move.
    for (let slot = this.slots; slot-- > 0; ) {
      const size = held(slot) * width;
      for (let run = (slot + 1) * heads; run-- > slot * heads; ) {
        if (size > 0) wide.set(data.subarray(run * before, run * before + size), run * after);
        if (this.#fill !== 0) wide.fill(this.#fill, run * after + size, (run + 1) * after);
      }
    }
    store.data = wide;
  }

  /** The states of `count` slots from `first` on, by name. Mostly the same objects every time, until there is more room. */
  view(first: number, count: number): Readonly<Record<string, OrtTensor>> {
    const key = `${first} ${count}`;
    let view = this.#views.get(key);
    if (view === undefined) {
      view = Object.fromEntries(
        this.#stores.map(({ name, shape, heads, width, data }) => {
          const size = heads * this.#capacity * width;
          const part = data.subarray(first * size, (first + count) * size);
          return [name, ortTensor("f32", [count, ...fixed(shape.slice(1, -2)), this.#capacity, width], part)];
        }),
      );
    } else this.#views.delete(key);
    this.#views.set(key, view);
    if (this.#views.size > KEPT_VIEWS) this.#views.delete(this.#views.keys().next().value!);
    return view;
  }

  /** Copies the first columns of slots to others, as if all moves happened at once. */
  copy(moves: readonly ForkMove[]): void {
    const real = moves.filter(({ from, to, length }) => from !== to && length > 0);
    const overwritten = new Set(real.map(({ to }) => to));
    // Only what another move overwrites has to be put aside.
    const aside = real.map(({ from, length }) => (overwritten.has(from) ? this.read(from, length) : undefined));
    real.forEach(({ from, to, length }, i) => {
      const values = aside[i];
      if (values) this.write(to, length, values);
      else this.#share(from, to, length);
    });
  }

  #share(from: number, to: number, columns: number): void {
    for (const { heads, width, data } of this.#stores) {
      const size = this.#capacity * width;
      for (let head = 0; head < heads; head++) {
        const at = (from * heads + head) * size;
        data.copyWithin((to * heads + head) * size, at, at + columns * width);
      }
    }
  }

  /** Floats that one column of a slot takes, over all states. */
  get columnFloats(): number {
    return this.#stores.reduce((sum, { heads, width }) => sum + heads * width, 0);
  }

  /** A copy of a slot's first columns, state by state and head by head. */
  read(slot: number, columns: number): Float32Array {
    const values = new Float32Array(columns * this.columnFloats);
    this.#runs(slot, columns, (run, at) => values.set(run, at));
    return values;
  }

  /** The opposite: there must be room. */
  write(slot: number, columns: number, values: Float32Array): void {
    this.#runs(slot, columns, (run, at) => run.set(values.subarray(at, at + run.length)));
  }

  /** Visits a slot's first columns, each state's heads in turn, and says where each run goes in a row of all. */
  #runs(slot: number, columns: number, visit: (run: Float32Array, at: number) => void): void {
    let at = 0;
    for (const { heads, width, data } of this.#stores)
      for (let head = 0; head < heads; head++) {
        const from = (slot * heads + head) * this.#capacity * width;
        visit(data.subarray(from, from + columns * width), at);
        at += columns * width;
      }
  }

  /** Gives the memory back at once, not when garbage is collected. */
  clear(): void {
    for (const store of this.#stores) {
      if (!store.data.buffer.detached) store.data.buffer.transfer(0);
      store.data = new Float32Array(0);
    }
    this.#room = undefined;
    this.#views.clear();
    this.#capacity = 0;
  }
}

/** From here on, whatever was freed before, malloc asks the system, which gives memory as it is written to. */
const MAPPED_BYTES = 33 << 20;

/** Less isn't worth the addresses, which count for whoever collects garbage. */
const WORTH_BYTES = 1 << 20;

/**
 * Zeros that take no memory before they are written to; undefined for few, and where the system wants to have all of it: where this
 * process may have only so many addresses, or promises count as memory, room for the longest histories would leave none for
 * what is computed.
 */
function unwritten(bytes: number): ArrayBuffer | undefined {
  if (bytes < WORTH_BYTES || addressesCount()) return undefined;
  try {
    return new ArrayBuffer(Math.max(bytes, MAPPED_BYTES));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Sizes that the model itself fixes. */
function fixed(shape: OrtPort["shape"]): number[] {
  return shape.map(Number);
}
