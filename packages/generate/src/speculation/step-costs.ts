import { RecentTimes } from "./recent-times.ts";

/** Plain steps are measured again after so many others. */
const TOO_OLD = 512;

/** What a step of twice the size is hoped to cost, until it was measured: little enough that it is tried where drafts come true. */
const HOPED_GROWTH = 1.4;

/** Times after which a size that is said to be dear is taken to be: the first of all has much to set up. */
const TRIES = 2;

/** What is hoped of a size that was dear, when it wasn't tried for as long as makes times old: so it is tried again, but ever more rarely. */
const MENDED = 0.9;

interface Times {
  readonly ms: RecentTimes;
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
    let times = this.#times.get(key);
    if (!times) this.#times.set(key, (times = { ms: new RecentTimes(), at: 0 }));
    times.ms.push(ms);
    times.at = this.#steps;
  }

  /** Whether there was a plain step lately, which what longer ones bring is held against. */
  knows(rows: number): boolean {
    const times = this.#times.get(keyOf(rows, 1));
    return times !== undefined && this.#steps - times.at <= TOO_OLD;
  }

  /** Milliseconds of a step of one token a row, once it was measured. */
  plainMs(rows: number): number | undefined {
    const times = this.#times.get(keyOf(rows, 1));
    return times?.ms.middle;
  }

  /** The cost of a step of `size` tokens a row: 1 is that of a plain step. */
  of(rows: number, size: number): number {
    const promised = Math.max(1, size / this.#verify);
    const plain = this.plainMs(rows);
    if (size === 1 || plain === undefined) return promised;
    const cost = (times: Times): number => {
      const age = Math.floor((this.#steps - times.at) / TOO_OLD);
      return Math.max(1, (times.ms.middle / plain) * MENDED ** age);
    };
    const measured = this.#times.get(keyOf(rows, size));
    if (measured && measured.ms.count >= TRIES) return cost(measured);
    let hoped = promised;
    for (let known = size / 2, growth = HOPED_GROWTH; known >= 2; known /= 2, growth *= HOPED_GROWTH) {
      const smaller = this.#times.get(keyOf(rows, known));
      if (!smaller) continue;
      hoped = cost(smaller) * growth;
      break;
    }
    return measured ? Math.min(cost(measured), hoped) : hoped;
  }
}

/** The size that a row of so many tokens counts as: sizes are powers of two. */
export function sizeFor(tokens: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, tokens)));
}

function keyOf(rows: number, size: number): number {
  return rows * 1024 + size;
}
