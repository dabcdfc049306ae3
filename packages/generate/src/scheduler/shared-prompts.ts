import type { Limits } from "@llm/target";
import { commonLength } from "./radix-tree.ts";
import { canGoOn, reusable } from "./reuse.ts";
import type { Sequence } from "./sequence.ts";

/** Fewer tokens than this are computed twice: waiting for them takes a step, which costs about as much. */
export const WORTH_SHARING = 16;

/**
 * Of prompts that are under way together and begin alike, one computes what they share; the others wait until it is there and
 * copy it. Nobody is held up by that: whoever waits gives its turns to the one that computes for it.
 */
export class SharedPrompts {
  readonly #limits: Limits;
  readonly #common = new WeakMap<Sequence, WeakMap<Sequence, number>>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Of each of these sequences as they stand, who is to compute what it needs next: whoever goes ahead of it, or else itself. */
  computing(running: readonly Sequence[]): (sequence: Sequence) => Sequence {
    const known = new Map<Sequence, Sequence>(); // many wait for the same, by way of others
    const computes = (sequence: Sequence): Sequence => {
      const found = known.get(sequence);
      if (found) return found;
      const ahead = this.aheadOf(sequence, running);
      const one = ahead ? computes(ahead) : sequence;
      known.set(sequence, one);
      return one;
    };
    return computes;
  }

  /** Whom a sequence waits for, if for anybody: of those that it could copy from later, the one that shares most with it. */
  aheadOf(sequence: Sequence, running: readonly Sequence[]): Sequence | undefined {
    if (this.#limits.fork === "none" || reusable(sequence) - sequence.held < WORTH_SHARING) return undefined;
    let best: Sequence | undefined;
    let most = sequence.held + WORTH_SHARING - 1;
    for (const other of running) {
      if (!isAhead(other, sequence)) continue;
      const shared = this.#shared(sequence, other);
      if (shared <= most || other.held >= shared) continue; // what is there and was not copied had no room
      best = other;
      most = shared;
    }
    return best;
  }

  /** How many tokens a sequence could go on from once another has computed them. */
  #shared(sequence: Sequence, other: Sequence): number {
    const length = Math.min(this.#commonOf(sequence, other), reusable(sequence));
    const { promptLength, request } = other;
    const kind = { adapter: request.adapter ?? 0, reach: promptLength, furthest: promptLength };
    return canGoOn(sequence, length, kind, this.#limits) ? length : 0;
  }

  #commonOf(one: Sequence, other: Sequence): number {
    let known = this.#common.get(one);
    if (!known) this.#common.set(one, (known = new WeakMap()));
    let length = known.get(other);
    if (length === undefined) {
      length = commonLength(one.tokens(0, one.promptLength), other.tokens(0, other.promptLength));
      known.set(other, length);
    }
    return length;
  }
}

/** An order in which nobody waits for themselves, by however many others. Of those equally far, whoever could copy least goes first. */
function isAhead(one: Sequence, other: Sequence): boolean {
  if (one.held !== other.held) return one.held > other.held;
  const [mine, theirs] = [reusable(one), reusable(other)];
  return mine === theirs ? one.arrival < other.arrival : mine < theirs;
}
