import type { Row } from "@llm/target";

/** Rows of a step that go through the model together. */
export interface Call {
  /** The slots [first, first + count). */
  readonly first: number;
  readonly count: number;
  readonly seq: number;
  /** Indexes into the step's rows; of a slot in between that has none, undefined. */
  readonly rows: readonly (number | undefined)[];
}

/**
 * The calls that do a step. The kernel takes several tokens of one sequence, or one token each of several: so longer rows go
 * one by one, and rows of one token together. Slots in between idle: a token is computed for them past their end, where
 * nothing reads it, as long as that costs less than reading the weights once more would. `idleCost` says what it costs of
 * that; one that is full has no place for a token, and costs more than anything. Calls with idle slots come first: what those
 * hold is then still what they held before the step.
 */
export function planCalls(rows: readonly Row[], idleCost: (slot: number) => number): Call[] {
  const single = new Map<number, number>();
  const longer: Call[] = [];
  rows.forEach(({ slot, tokens }, index) => {
    if (tokens.length === 1) single.set(slot, index);
    else longer.push({ first: slot, count: 1, seq: tokens.length, rows: [index] });
  });
  const runs: [number, number][] = []; // first and last slot
  for (const slot of [...single.keys()].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    const gap = run ? between(run[1], slot).reduce((sum, idle) => sum + idleCost(idle), 0) : 0;
    if (run && gap <= 1) run[1] = slot;
    else runs.push([slot, slot]);
  }
  const together = runs.map(([first, last]): Call => {
    const slots = between(first - 1, last + 1);
    return { first, count: slots.length, seq: 1, rows: slots.map((slot) => single.get(slot)) };
  });
  return [...together, ...longer];
}

/** The numbers from `after` to `before`, without both. */
function between(after: number, before: number): number[] {
  return Array.from({ length: before - after - 1 }, (_, i) => after + 1 + i);
}
