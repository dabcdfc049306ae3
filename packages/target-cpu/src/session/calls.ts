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
 * one by one, and all rows of one token together. Slots in between idle: a token is computed for them past their end, where
 * nothing reads it, because reading the weights twice costs more. They come first: what an idle slot holds is then still what
 * it held before the step.
 */
export function planCalls(rows: readonly Row[]): Call[] {
  const calls: Call[] = [];
  const single = new Map<number, number>();
  rows.forEach(({ slot, tokens }, index) => {
    if (tokens.length === 1) single.set(slot, index);
    else calls.push({ first: slot, count: 1, seq: tokens.length, rows: [index] });
  });
  if (single.size > 0) {
    const first = Math.min(...single.keys());
    const count = Math.max(...single.keys()) - first + 1;
    calls.unshift({ first, count, seq: 1, rows: Array.from({ length: count }, (_, i) => single.get(first + i)) });
  }
  return calls;
}
