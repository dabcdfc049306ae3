import type { Tensor } from "@llm/tensor";

/** Tokens of one slot in one step of a schedule. */
export interface Turn {
  readonly slot: number;
  readonly at: number;
  readonly tokens: readonly number[];
}

/** What a schedule may do: a device's limits. */
export interface ScheduleLimits {
  readonly slots: number;
  readonly context: number;
  readonly chunk: number;
  /** How far back of the furthest position a row may go, besides to 0. */
  readonly rewind: number;
  /** Copies a slot's beginning to another, as if at once. */
  readonly fork: boolean;
}

export type Step =
  | { readonly kind: "turns"; readonly turns: readonly Turn[] }
  | { readonly kind: "fork"; readonly from: number; readonly to: number; readonly length: number };

/** Random chunks, idle rows, rewinds and forks within a device's limits; every token is a random number. */
export function randomSchedule(random: () => number, limits: ScheduleLimits, steps: number): Step[] {
  const upTo = (n: number) => Math.floor(random() * n);
  const held = new Array<number>(limits.slots).fill(0);
  const furthest = new Array<number>(limits.slots).fill(0);
  const schedule: Step[] = [];
  for (let step = 0; step < steps; step++) {
    if (limits.fork && upTo(6) === 0) {
      const [from, to] = [upTo(limits.slots), upTo(limits.slots)];
      const length = Math.max(0, held[from]! - upTo(3));
      schedule.push({ kind: "fork", from, to, length });
      [held[to], furthest[to]] = [length, Math.max(length, furthest[from]!)];
      continue;
    }
    const turns: Turn[] = [];
    for (let slot = 0; slot < limits.slots; slot++) {
      if (upTo(3) === 0) continue; // idle
      let at = held[slot]!;
      if (upTo(4) === 0) at = Math.max(0, at - upTo(limits.rewind + 1), furthest[slot]! - limits.rewind);
      if (upTo(15) === 0 || at >= limits.context) at = 0;
      at = Math.min(at, held[slot]!);
      const count = 1 + upTo(Math.min(limits.chunk, limits.context - at));
      turns.push({ slot, at, tokens: Array.from({ length: count }, () => upTo(1000)) });
      if (at === 0) furthest[slot] = 0;
      held[slot] = at + count;
      furthest[slot] = Math.max(furthest[slot]!, held[slot]!);
    }
    if (turns.length > 0) schedule.push({ kind: "turns", turns });
  }
  return schedule;
}

/** Rows of a turn each, as wide as the widest, `fill` where no token is. */
export function padRows(
  rows: readonly (Turn | undefined)[],
  side: "left" | "right",
  column: (turn: Turn, token: number) => number,
  fill: number,
): Tensor {
  const width = Math.max(...rows.map((turn) => turn?.tokens.length ?? 0));
  const data = new Int32Array(rows.length * width).fill(fill);
  rows.forEach((turn, row) => {
    turn?.tokens.forEach((_, n) => {
      const shift = side === "left" ? width - turn.tokens.length : 0;
      data[row * width + shift + n] = column(turn, n);
    });
  });
  return { dtype: "i32", shape: [rows.length, width], data };
}
