/** Times kept of one kind of step. The least of them counts: what else the machine does only ever adds. */
const KEPT = 8;
/** Steps after which a time is too old to go by. */
const TOO_OLD = 512;

/** What a step of twice the size is hoped to cost, until it was measured: little enough that it is tried where drafts come true. */
const HOPED_GROWTH = 1.4;

/** Times after which a size that is said to be dear is taken to be: the first of all has much to set up. */
const TRIES = 2;

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

  /** The cost of a step of `size` tokens a row: 1 is that of a plain step. */
  of(rows: number, size: number): number {
    const plain = this.plainMs(rows);
    if (size === 1 || plain === undefined) return this.#promised(size);
    const cost = (known: number): number | undefined => {
      const ms = this.#least(rows, known);
      return ms === undefined ? undefined : Math.max(1, ms / plain);
    };
    let hoped = this.#promised(size);
    for (let known = size / 2, growth = HOPED_GROWTH; known >= 2; known /= 2, growth *= HOPED_GROWTH) {
      const smaller = cost(known);
      if (smaller === undefined) continue;
      hoped = smaller * growth;
      break;
    }
    const measured = cost(size);
    if (measured === undefined) return hoped;
    return this.#recent(rows, size)!.ms.length < TRIES ? Math.min(measured, hoped) : measured;
  }

  #promised(size: number): number {
    return Math.max(1, size / this.#verify);
  }

  #least(rows: number, size: number): number | undefined {
    const times = this.#recent(rows, size);
    return times && Math.min(...times.ms);
  }

  #recent(rows: number, size: number): Times | undefined {
    const times = this.#times.get(keyOf(rows, size));
    return times && this.#steps - times.at <= TOO_OLD ? times : undefined;
  }
}

/** The size that a row of so many tokens counts as: sizes are powers of two. */
export function sizeFor(tokens: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, tokens)));
}

function keyOf(rows: number, size: number): number {
  return rows * 1024 + size;
}
