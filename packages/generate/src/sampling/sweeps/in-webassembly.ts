import { SWEEPS } from "./gen/sweeps.ts";
import { FIRST, MAGIC, REACH, SECOND, STEP_TABLE, STEPS, STEPS_DOWN } from "./mass.ts";
import { BIN_WIDTH, BINS, BLOCK, type Sweeps, VECTOR } from "./sweeps.ts";

const PAGE = 65_536;

type Loop = (...args: readonly number[]) => number;
/** What `assembly/sweeps.ts` exports. */
type Loops = Readonly<
  Record<"divide" | "weigh" | "weighAndMeasure" | "restrict" | "tally" | "histogram" | "within" | "gather", Loop>
>;

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** As much of it as is needed here; the libraries for browsers, which have the rest, aren't among ours. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Loops };
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory;
};

let compiled: object | undefined;

/** Throws where there is no WebAssembly, or none with vectors, or where a page's rules forbid it. */
export class WebAssemblySweeps implements Sweeps {
  readonly scores: Float32Array;
  readonly masses: Float64Array;
  readonly sums: Float64Array;
  readonly bins: Float64Array;
  readonly found: Int32Array;
  readonly #loops: Loops;
  readonly #constants: number;
  readonly #table: number;

  constructor(blocks: number) {
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(SWEEPS), (char) => char.charCodeAt(0)));
    const numbers = 8; // constants, and room for one more
    const size = blocks * (BLOCK * (4 + 8 + 4) + 8) + (BINS + VECTOR + STEPS + numbers) * 8;
    const pages = Math.ceil(size / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#loops = new WebAssembly.Instance(compiled, { env: { memory } }).exports;

    let end = 0;
    const take = (bytes: number): number => (end += bytes) - bytes;
    const doubles = (count: number): Float64Array => new Float64Array(memory.buffer, take(count * 8), count);
    this.masses = doubles(blocks * BLOCK);
    this.sums = doubles(blocks);
    this.bins = doubles(BINS + VECTOR - 1);
    const table = doubles(STEPS);
    const constants = doubles(numbers);
    this.scores = new Float32Array(memory.buffer, take(blocks * BLOCK * 4), blocks * BLOCK);
    this.found = new Int32Array(memory.buffer, take(blocks * BLOCK * 4), blocks * BLOCK);

    table.set(STEP_TABLE);
    constants.set([STEPS_DOWN, MAGIC, FIRST, SECOND, REACH]);
    new BigInt64Array(memory.buffer, constants.byteOffset)[5] = BigInt(-STEPS); // the bits of whole powers of two
    this.#table = table.byteOffset;
    this.#constants = constants.byteOffset;
  }

  divide(blocks: number, by: number): number {
    return this.#loops.divide(this.scores.byteOffset, blocks, by);
  }

  weigh(blocks: number, best: number): void {
    this.#weigh(this.#loops.weigh, blocks, best);
  }

  weighAndMeasure(blocks: number, best: number): number {
    return this.#weigh(this.#loops.weighAndMeasure, blocks, best);
  }

  #weigh(loop: Loop, blocks: number, best: number): number {
    const { scores, masses, sums } = this;
    return loop(...[scores.byteOffset, masses.byteOffset, sums.byteOffset, blocks, best, this.#constants, this.#table]);
  }

  restrict(blocks: number, least: number, most: number): void {
    const { scores, masses, sums } = this;
    this.#loops.restrict(scores.byteOffset, masses.byteOffset, sums.byteOffset, blocks, least, most);
  }

  tally(blocks: number, least: number, most: number): void {
    const { scores, masses, sums } = this;
    this.#loops.tally(scores.byteOffset, masses.byteOffset, sums.byteOffset, blocks, least, most);
  }

  histogram(blocks: number, best: number, center: number, every: number): void {
    const { scores, masses, bins } = this;
    bins.fill(0);
    const rows = [scores.byteOffset, masses.byteOffset, blocks, every];
    this.#loops.histogram(...rows, best, center, 1 / BIN_WIDTH, BINS - 1, bins.byteOffset);
  }

  within(blocks: number, best: number, center: number, distance: number): number {
    return this.#loops.within(this.scores.byteOffset, this.masses.byteOffset, blocks, best, center, distance);
  }

  gather(blocks: number, best: number, center: number, least: number, most: number): number {
    const { scores, found } = this;
    return this.#loops.gather(scores.byteOffset, blocks, best, center, least, most, found.byteOffset);
  }
}
