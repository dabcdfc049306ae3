import type { Limits, Row, Want } from "@llm/target";
import type { Sequence } from "./sequence.ts";
import { wantFor } from "./wants.ts";

/** One sequence's part of the next step. */
export interface PlannedRow {
  readonly sequence: Sequence;
  readonly row: Row;
  readonly want: Want | undefined;
}

/**
 * Rows of the next step: every sequence that decodes has one, and the prompts share a budget of tokens, who waited longest
 * first, so that a long prompt stalls neither those that decode nor those that came after it.
 */
export function planStep(
  running: readonly Sequence[],
  limits: Limits,
  promptTokens: number,
  step: number,
): PlannedRow[] {
  const rows: PlannedRow[] = [];
  const prompts: Sequence[] = [];
  for (const sequence of running) {
    if (sequence.pending === 1) rows.push(rowOf(sequence, 1, limits));
    else prompts.push(sequence);
  }
  prompts.sort((a, b) => rank(b) - rank(a) || a.lastServed - b.lastServed || a.arrival - b.arrival);
  let budget = promptTokens;
  for (const sequence of prompts) {
    const count = chunkOf(sequence, limits, budget);
    if (count === 0) continue;
    budget -= count;
    sequence.lastServed = step;
    rows.push(rowOf(sequence, count, limits));
  }
  return rows;
}

export function rank({ request }: Sequence): number {
  return request.priority ?? 0;
}

/** A row of the sequence's next `count` tokens; the last of all its tokens is the one that is asked about. */
export function rowOf(sequence: Sequence, count: number, limits: Limits): PlannedRow {
  const { slot, held, promptLength, request } = sequence;
  const want = held + count === sequence.length ? wantOf(sequence, limits) : undefined;
  const row: Row = {
    slot,
    at: held,
    tokens: sequence.tokens(held, held + count),
    ...(held < promptLength ? { reach: promptLength } : {}),
    ...(request.adapter ? { adapter: request.adapter } : {}),
    ...(want ? { want } : {}),
  };
  return { sequence, row, want };
}

/** What the request asks for. If it fails at that, it ends alone: its row stays, since in lockstep every row must step. */
function wantOf(sequence: Sequence, limits: Limits): Want | undefined {
  if (sequence.finished) return undefined;
  try {
    return wantFor(sequence, limits, sequence.allowed());
  } catch (error) {
    sequence.fail(error);
    return undefined;
  }
}

function chunkOf(sequence: Sequence, { chunk, resume, reach }: Limits, budget: number): number {
  const { pending, held, promptLength } = sequence;
  // Where a prompt runs at full speed from its beginning only, its first chunk is as long as can be, whatever the budget.
  if (!resume && held === 0) return Math.min(pending, chunk);
  const most = Math.max(0, Math.min(pending, chunk, budget)); // an unbudgeted first chunk may have overdrawn it
  if (!reach) return most;
  // An answer that is computed anew comes as it came at first, each token with the reach that it had then.
  return Math.min(most, held < promptLength ? promptLength - held : 1);
}
