/** Times kept of one kind of step. The least of them counts: what else the machine does only ever adds. */
const KEPT = 8;
/** Steps after which a time is too old to go by. */
const TOO_OLD = 512;

interface Times {
  readonly ms: number[];
  at: number; // the step it was last measured in
}

/**
 * What steps of several tokens a row cost, in steps of one token a row: measured as generation goes on, and until then as the
 * device's limits say.
 */
export class StepCosts {
  readonly #verify: number;
  readonly #times = new Map<number, Times>();
  #steps = 0;

  /** @param verify how many tokens of a row the device says cost about one step */
  constructor(verify: number) {
    this.#verify = Math.max(1, verify);
  }

  /** Notes how long a step took whose rows had `tokens` tokens in all. */
  observe(rows: number, tokens: number, ms: number): void {
    this.#steps++;
    const key = keyOf(rows, sizeFor(tokens / rows));
    const times = this.#times.get(key);
    if (!times || this.#steps - times.at > TOO_OLD) this.#times.set(key, { ms: [ms], at: this.#steps });
    else {
      times.ms.push(ms);
      if (times.ms.length > KEPT) times.ms.shift();
      times.at = this.#steps;
    }
  }

  /** Milliseconds of a step of one token a row, once it was measured. */
  plainMs(rows: number): number | undefined {
    return this.#least(rows, 1);
  }

  /** True once steps of that size were measured often enough to go by. */
  isKnown(rows: number, size: number): boolean {
    const times = this.#times.get(keyOf(rows, size));
    return times !== undefined && times.ms.length >= 3 && this.#steps - times.at <= TOO_OLD;
  }

  /** The cost of a step of `size` tokens a row: 1 is that of a plain step. */
  of(rows: number, size: number): number {
    if (size === 1) return 1;
    const plain = this.plainMs(rows);
    if (plain !== undefined)
      for (let known = size; known >= 2; known /= 2) {
        const ms = this.#least(rows, known);
        if (ms !== undefined) return (Math.max(1, ms / plain) * this.#expected(size)) / this.#expected(known);
      }
    return this.#expected(size);
  }

  #expected(size: number): number {
    return Math.max(1, size / this.#verify);
  }

  #least(rows: number, size: number): number | undefined {
    const times = this.#times.get(keyOf(rows, size));
    if (!times || this.#steps - times.at > TOO_OLD) return undefined;
    return Math.min(...times.ms);
  }
}

/** The size that a row of so many tokens counts as: sizes are powers of two. */
export function sizeFor(tokens: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, tokens)));
}

function keyOf(rows: number, size: number): number {
  return rows * 1024 + size;
}
