import type { ForkMove, Limits } from "@llm/target";
import { type PrefixMatch, RadixTree } from "./radix-tree.ts";
import { canGoOn, reusable } from "./reuse.ts";
import type { Sequence } from "./sequence.ts";
import { WORTH_SHARING } from "./shared-prompts.ts";

/** How a sequence gets a slot: where, how many of its tokens are there already, and what must be done first. */
export interface Placement {
  readonly slot: number;
  readonly reused: number;
  readonly fork?: ForkMove;
}

/** Which slot holds what, who uses it, and what can be given up. Idle slots keep what they hold for whoever begins alike. */
export class SlotTable {
  readonly #limits: Limits;
  readonly #tree = new RadixTree();
  readonly #user: (Sequence | undefined)[];
  readonly #length: Int32Array;
  readonly #furthest: Int32Array;
  readonly #lastUsed: Float64Array;
  readonly #reach: Int32Array;
  readonly #adapter: Int32Array;
  #clock = 0;
  #total = 0;

  constructor(limits: Limits) {
    const { slots } = limits;
    this.#limits = limits;
    this.#user = Array.from({ length: slots });
    this.#length = new Int32Array(slots);
    this.#furthest = new Int32Array(slots);
    this.#lastUsed = new Float64Array(slots);
    this.#reach = new Int32Array(slots);
    this.#adapter = new Int32Array(slots);
  }

  /** Tokens in all slots together. */
  get total(): number {
    return this.#total;
  }

  /** Where to put a sequence, if anywhere: the slot that holds most of its beginning, else an empty, else the longest unused one. */
  place(sequence: Sequence): Placement | undefined {
    const match = this.#match(sequence);
    const free = this.#leastValuable(match?.slot);
    if (!match) return free === undefined ? undefined : { slot: free, reused: 0 };
    const { slot: from, length } = match;
    if (this.#user[from])
      return free === undefined ? undefined : { slot: free, reused: length, fork: { from, to: free, length } };
    // Its own slot is taken over, unless that would lose what others may ask for again and there is room to copy.
    const spare = this.#limits.fork !== "none" && free !== undefined && this.#length[free] === 0;
    const roomy = this.#total + length <= this.#limits.cacheTokens;
    if (spare && roomy && length < this.#length[from]!)
      return { slot: free, reused: length, fork: { from, to: free, length } };
    return { slot: from, reused: length };
  }

  /** The copy that saves a sequence computing much of what it still lacks, now that another slot holds it. */
  copyFor(sequence: Sequence): ForkMove | undefined {
    const { slot, held, pending } = sequence;
    if (this.#limits.fork === "none" || pending <= WORTH_SHARING) return undefined;
    const match = this.#match(sequence);
    if (!match || match.length < held + WORTH_SHARING) return undefined;
    return { from: match.slot, to: slot, length: match.length };
  }

  /** Notes that a sequence has a slot. */
  take({ slot, reused, fork }: Placement, sequence: Sequence): void {
    if (fork) this.#set(slot, reused, reused);
    this.#user[slot] = sequence;
    this.#reach[slot] = sequence.promptLength;
    this.#adapter[slot] = sequence.request.adapter ?? 0;
    this.#lastUsed[slot] = this.#clock++;
    sequence.slot = slot;
    sequence.held = reused;
    this.#tree.remove(slot); // what it holds past `reused` will go
    this.#tree.set(slot, sequence.tokens(0, reused));
  }

  /** Notes that a slot forgot what it held from `length` on. */
  trimmed(slot: number, length: number): void {
    this.#set(slot, length, this.#furthest[slot]!);
  }

  /** Notes what a slot holds after a step, wrong guesses included; what it holds of a prompt may be shared from now on. */
  wrote(sequence: Sequence, at: number, length: number): void {
    const { slot } = sequence;
    this.#set(slot, length, at === 0 ? length : Math.max(this.#furthest[slot]!, length));
    if (at < sequence.promptLength) this.#tree.set(slot, sequence.tokens(0, sequence.held));
  }

  /** The sequence is done or has to wait; its slot keeps what it holds until somebody needs the room. */
  release(sequence: Sequence): void {
    const { slot, held } = sequence;
    this.#user[slot] = undefined;
    this.#lastUsed[slot] = this.#clock++;
    this.#tree.set(slot, sequence.tokens(0, held));
    sequence.slot = -1;
    sequence.held = 0;
  }

  /** Notes that a slot was emptied. */
  emptied(slot: number): void {
    this.#tree.remove(slot);
    this.#set(slot, 0, 0);
  }

  /** Notes what a slot holds that was restored. */
  filled(slot: number, tokens: Int32Array, reach: number): void {
    this.#set(slot, tokens.length, tokens.length);
    this.#reach[slot] = reach;
    this.#adapter[slot] = 0;
    this.#lastUsed[slot] = this.#clock++;
    this.#tree.set(slot, tokens);
  }

  /** The idle slot whose tokens were longest of no use; `but` is spared. */
  evictable(but = -1): number | undefined {
    return this.#oldest((slot) => slot !== but && this.#length[slot]! > 0);
  }

  /** An idle slot: empty, or the one that is missed least. */
  idle(): number | undefined {
    return this.#leastValuable();
  }

  /** The slot that holds the longest beginning of these tokens: them alone, if there is one, and not what somebody said after. */
  holding(tokens: Int32Array): PrefixMatch | undefined {
    const isPlain = (slot: number): boolean => this.#adapter[slot] === 0;
    const isAll = (slot: number, length: number): boolean => length === tokens.length && this.#length[slot] === length;
    return (
      this.#tree.longest(tokens, (slot, length) => isPlain(slot) && isAll(slot, length)) ??
      this.#tree.longest(tokens, isPlain)
    );
  }

  lengthOf(slot: number): number {
    return this.#length[slot]!;
  }

  reachOf(slot: number): number {
    return this.#reach[slot]!;
  }

  tokensOf(slot: number): Int32Array {
    return this.#tree.tokensOf(slot);
  }

  #match(sequence: Sequence): PrefixMatch | undefined {
    const { fork, lockstep } = this.#limits;
    if (lockstep) return undefined;
    return this.#tree.longest(sequence.tokens(0, reusable(sequence)), (slot, length) => {
      const kind = { adapter: this.#adapter[slot]!, reach: this.#reach[slot]!, furthest: this.#furthest[slot]! };
      if (!canGoOn(sequence, length, kind, this.#limits)) return false;
      return !this.#user[slot] || fork !== "none";
    });
  }

  #leastValuable(but = -1): number | undefined {
    return this.#oldest((slot) => slot !== but && this.#length[slot] === 0) ?? this.#oldest((slot) => slot !== but);
  }

  #oldest(willDo: (slot: number) => boolean): number | undefined {
    let best: number | undefined;
    for (let slot = 0; slot < this.#user.length; slot++) {
      if (this.#user[slot] || !willDo(slot)) continue;
      if (best === undefined || this.#lastUsed[slot]! < this.#lastUsed[best]!) best = slot;
    }
    return best;
  }

  #set(slot: number, length: number, furthest: number): void {
    this.#total += length - this.#length[slot]!;
    this.#length[slot] = length;
    this.#furthest[slot] = furthest;
  }
}
