import type { Limits } from "@llm/target";
import type { Sequence } from "./sequence.ts";

/**
 * On a device that runs a prompt at full speed only from its beginning, a prefill costs about as much as this many single
 * tokens: a longer rest is cheaper done all anew.
 */
const TOKENS_LIKE_A_PREFILL = 8;

/** What a history is like, beside its tokens. */
export interface HistoryKind {
  readonly adapter: number;
  /** The length of the prompt it was computed for. */
  readonly reach: number;
  /** How far it went since it was begun. */
  readonly furthest: number;
}

/** How many of a sequence's first tokens need not be run: all but those that somebody is to be told of, and the last, after which the answer comes. */
export function reusable({ request, untold, length }: Sequence): number {
  return request.read ? Math.min(untold, length - 1) : length - 1;
}

/** Whether a sequence can go on from the first `length` tokens of a history that begins as it does. */
export function canGoOn(
  sequence: Sequence,
  length: number,
  { adapter, reach, furthest }: HistoryKind,
  limits: Limits,
): boolean {
  if (adapter !== (sequence.request.adapter ?? 0)) return false;
  if (limits.reach && reach !== sequence.promptLength) return false;
  if (!limits.resume && sequence.length - length > TOKENS_LIKE_A_PREFILL) return false;
  return furthest - length <= limits.rewind;
}
