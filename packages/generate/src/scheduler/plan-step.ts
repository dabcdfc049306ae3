import type { Limits, Row, Want } from "@llm/target";
import type { Sequence } from "./sequence.ts";
import type { SharedPrompts } from "./shared-prompts.ts";
import { wantFor } from "./wants.ts";

/** One sequence's part of the next step. */
export interface PlannedRow {
  readonly sequence: Sequence;
  readonly row: Row;
  readonly want: Want | undefined;
  /** The row's last tokens that are guesses, which the device's answer judges. */
  readonly guesses: Int32Array;
}

export interface StepRules {
  readonly limits: Limits;
  readonly shared: SharedPrompts;
  /** Tokens of prompts in the step, all together. */
  readonly promptTokens: number;
}

/**
 * Rows of the next step, the `step`-th: every sequence that decodes has one, and the prompts share a budget of tokens, who waited
 * longest first, so that a long prompt stalls neither those that decode nor those that came after it.
 */
export function planStep(
  running: readonly Sequence[],
  step: number,
  { limits, shared, promptTokens }: StepRules,
): PlannedRow[] {
  const rows: PlannedRow[] = [];
  const prompts: Sequence[] = [];
  const served = new Set<Sequence>();
  for (const sequence of running) {
    if (sequence.pending === 1) {
      rows.push(rowOf(sequence, 1, limits));
      served.add(sequence);
    } else prompts.push(sequence);
  }
  prompts.sort((a, b) => rank(b) - rank(a) || a.lastServed - b.lastServed || a.arrival - b.arrival);
  const computes = shared.computing(running);
  let budget = promptTokens;
  for (const sequence of prompts) {
    const one = computes(sequence);
    if (!served.has(one)) {
      const count = chunkOf(one, limits, budget);
      if (count === 0) continue;
      budget -= count;
      served.add(one);
      rows.push(rowOf(one, count, limits));
    }
    one.lastServed = step;
    sequence.lastServed = step;
  }
  return rows;
}

export function rank({ request }: Sequence): number {
  return request.priority ?? 0;
}

/** A row of the sequence's next `count` tokens; the last of all its tokens is the one that is asked about. */
export function rowOf(sequence: Sequence, count: number, limits: Limits): PlannedRow {
  const { slot, held, promptLength, request } = sequence;
  if (request.read) return readingRow(sequence, count);
  const isWhole = held + count === sequence.length;
  const drafted = sequence.drafts?.next ?? NONE;
  const want = isWhole ? wantOf(sequence, limits, drafted.length) : undefined;
  const guesses = drafted.subarray(0, (want?.last ?? 1) - 1); // none, where they can't be judged
  const row: Row = {
    slot,
    at: held,
    tokens: joined(sequence.tokens(held, held + count), guesses),
    ...(held < promptLength ? { reach: promptLength } : {}),
    ...(request.adapter ? { adapter: request.adapter } : {}),
    ...(want ? { want } : {}),
  };
  return { sequence, row, want, guesses };
}

/** A row of tokens that are only read. */
function readingRow(sequence: Sequence, count: number): PlannedRow {
  const { slot, held, promptLength, request, untold } = sequence;
  const last = held + count - Math.max(held, untold);
  const want: Want | undefined = last > 0 ? { kind: request.read!.kind, last } : undefined;
  const row: Row = {
    slot,
    at: held,
    tokens: sequence.tokens(held, held + count),
    reach: promptLength,
    ...(request.adapter ? { adapter: request.adapter } : {}),
    ...(want ? { want } : {}),
  };
  return { sequence, row, want, guesses: NONE };
}

/** What the request asks for. If it fails at that, it ends alone: its row stays, since in lockstep every row must step. */
function wantOf(sequence: Sequence, limits: Limits, guesses: number): Want | undefined {
  if (sequence.finished) return undefined;
  try {
    return wantFor(sequence, limits, { allow: sequence.allowed(), guesses });
  } catch (error) {
    sequence.fail(error);
    return undefined;
  }
}

function joined(tokens: Int32Array, guesses: Int32Array): Int32Array {
  if (guesses.length === 0) return tokens;
  const all = new Int32Array(tokens.length + guesses.length);
  all.set(tokens);
  all.set(guesses, tokens.length);
  return all;
}

const NONE = new Int32Array(0);

/** Numbers that a step tells a reader at most: of a large vocabulary, what a hundred tokens have. */
const MOST_TOLD = 2 ** 24;

function chunkOf(sequence: Sequence, limits: Limits, budget: number): number {
  const { resume, reach } = limits;
  const { pending, held, promptLength, request, untold } = sequence;
  const told = request.read && Math.floor(MOST_TOLD / (request.read.kind === "hidden" ? limits.width : limits.vocab));
  const chunk = Math.min(limits.chunk, told === undefined ? Infinity : Math.max(1, told + Math.max(0, untold - held)));
  // Where a prompt runs at full speed from its beginning only, its first chunk is as long as can be, whatever the budget.
  if (!resume && held === 0) return Math.min(pending, chunk);
  const most = Math.max(0, Math.min(pending, chunk, budget)); // an unbudgeted first chunk may have overdrawn it
  if (!reach) return most;
  // An answer that is computed anew comes as it came at first, each token with the reach that it had then.
  return Math.min(most, held < promptLength ? promptLength - held : 1);
}
