import { SessionError } from "./error.ts";
import type { ForkMove, Limits, Row, Want } from "./session.ts";

/**
 * Who holds how much: the part of a session that is the same on every device. It refuses what the limits don't allow,
 * before anything is changed, so that a device only ever sees legal calls.
 */
export class SlotLedger {
  readonly limits: Limits;
  readonly #lengths: Int32Array;
  readonly #furthest: Int32Array; // the highest position written since the slot was last empty
  /** Tokens counted once each: more than that when forks share, which is on the safe side. */
  #total = 0;
  /** Lockstep only: the shared write index. */
  #index = 0;

  constructor(limits: Limits) {
    this.limits = limits;
    this.#lengths = new Int32Array(limits.slots);
    this.#furthest = new Int32Array(limits.slots);
  }

  /** How many tokens `slot` holds. */
  length(slot: number): number {
    this.#slot(slot);
    return this.#lengths[slot]!;
  }

  /** How many tokens all slots hold. */
  get total(): number {
    return this.#total;
  }

  /** Lockstep: how many columns of the cache are used up, padding included. */
  get index(): number {
    return this.#index;
  }

  /** Throws a SessionError if a session with these limits must refuse the step. */
  check(rows: readonly Row[]): void {
    const seen = new Set<number>();
    let growth = 0;
    for (const row of rows) {
      this.#slot(row.slot);
      if (seen.has(row.slot)) throw new SessionError("slot", `slot ${row.slot} has two rows in one step`);
      seen.add(row.slot);
      this.#row(row);
      growth += row.at + row.tokens.length - this.#lengths[row.slot]!;
    }
    if (this.limits.lockstep) this.#together(rows);
    const total = this.#total + growth;
    if (total > this.limits.cacheTokens)
      throw new SessionError("cache", `the step would make ${total} cached tokens; ${this.limits.cacheTokens} fit`);
  }

  /** Notes that the rows, checked before, were run. */
  commit(rows: readonly Row[]): void {
    if (this.limits.lockstep && rows.length > 0) {
      if (startsTogether(rows)) this.#clear();
      this.#index += widest(rows);
    }
    for (const { slot, at, tokens } of rows) {
      const end = at + tokens.length;
      this.#furthest[slot] = at === 0 ? end : Math.max(this.#furthest[slot]!, end);
      this.#set(slot, end);
    }
  }

  /** Checks a trim and notes it; returns whether anything is forgotten. */
  trim(slot: number, length: number): boolean {
    this.#slot(slot);
    const held = this.#lengths[slot]!;
    if (!Number.isInteger(length) || length < 0 || length > held)
      throw new SessionError("gap", `slot ${slot} holds ${held} tokens and can't be trimmed to ${length}`);
    if (length === held) return false;
    this.#rewind(slot, length);
    if (length === 0) this.#furthest[slot] = 0;
    this.#set(slot, length);
    if (this.limits.lockstep && this.#total === 0) this.#index = 0;
    return true;
  }

  /** Checks moves that happen at once and notes them. */
  fork(moves: readonly ForkMove[]): void {
    if (this.limits.fork === "none") throw new SessionError("unsupported", "this device can't copy a history");
    const targets = new Set<number>();
    let growth = 0;
    for (const { from, to, length } of moves) {
      this.#slot(from);
      this.#slot(to);
      if (targets.has(to)) throw new SessionError("slot", `two histories are copied to slot ${to}`);
      targets.add(to);
      const held = this.#lengths[from]!;
      if (!Number.isInteger(length) || length < 0 || length > held)
        throw new SessionError("gap", `slot ${from} holds ${held} tokens, not ${length}`);
      if (length > 0 && this.#furthest[from]! - length > this.limits.rewind) this.#rewind(from, length);
      growth += length - this.#lengths[to]!;
    }
    if (this.#total + growth > this.limits.cacheTokens)
      throw new SessionError("cache", `the copies would make ${this.#total + growth} cached tokens`);
    const furthest = moves.map(({ from, to, length }) => (from === to ? this.#furthest[from]! : length));
    moves.forEach(({ to, length }, i) => {
      this.#furthest[to] = furthest[i]!;
      this.#set(to, length);
    });
  }

  /** Notes that `slot` now holds `length` tokens from elsewhere (`restore`). */
  replace(slot: number, length: number): void {
    this.#slot(slot);
    if (length > this.limits.context) throw new SessionError("context", `${length} tokens don't fit into a slot`);
    const total = this.#total - this.#lengths[slot]! + length;
    if (total > this.limits.cacheTokens) throw new SessionError("cache", `${total} cached tokens don't fit`);
    this.#furthest[slot] = length;
    this.#set(slot, length);
  }

  #row({ slot, at, tokens, want, adapter = 0 }: Row): void {
    const { chunk, context, vocab, adapters } = this.limits;
    const held = this.#lengths[slot]!;
    if (!Number.isInteger(at) || at < 0 || at > held)
      throw new SessionError("gap", `slot ${slot} holds ${held} tokens; a row can't start at ${at}`);
    if (at < held || at < this.#furthest[slot]!) this.#rewind(slot, at);
    if (tokens.length === 0 || tokens.length > chunk)
      throw new SessionError("chunk", `a row of ${tokens.length} tokens; this device takes 1 to ${chunk}`);
    if (at + tokens.length > context)
      throw new SessionError("context", `slot ${slot} would hold ${at + tokens.length} tokens; ${context} fit`);
    for (const id of tokens)
      if (id < 0 || id >= vocab) throw new SessionError("token", `token ${id} is not in the vocabulary of ${vocab}`);
    if (!Number.isInteger(adapter) || adapter < 0 || adapter > adapters)
      throw new SessionError("adapter", `adapter ${adapter}: at most ${adapters} can be loaded here`);
    if (want) this.#want(want, tokens.length);
  }

  #want(want: Want, tokens: number): void {
    const { wants, sampling, sampleTopK, samplePenalties = [], masks = true, vocab } = this.limits;
    if (!wants.includes(want.kind))
      throw new SessionError("want", `this device doesn't give ${want.kind}, only ${wants.join(", ")}`);
    if (!Number.isInteger(want.last) || want.last < 1 || want.last > tokens)
      throw new SessionError("want", `results for ${want.last} of a row's ${tokens} tokens`);
    if (want.kind === "top" && !(Number.isInteger(want.k) && want.k >= 1 && want.k <= vocab))
      throw new SessionError("want", `the best ${want.k} of a vocabulary of ${vocab}`);
    if (want.kind === "token" && !sampling.includes(want.sampling.method))
      throw new SessionError("want", `this device can't sample by ${want.sampling.method}`);
    if (want.kind === "token" && want.sampling.method === "sample" && sampleTopK !== undefined) {
      const { topK = 0 } = want.sampling;
      if (!(topK >= 1 && topK <= sampleTopK))
        throw new SessionError("want", `this device draws from the 1 to ${sampleTopK} best, not from topK ${topK}`);
    }
    if (want.kind === "token") {
      const { repetitionPenalty = 1, presencePenalty = 0 } = want.sampling;
      const asked = { repetition: repetitionPenalty !== 1, presence: presencePenalty !== 0 };
      for (const penalty of ["repetition", "presence"] as const)
        if (asked[penalty] && !samplePenalties.includes(penalty))
          throw new SessionError("want", `this device chooses tokens without a ${penalty} penalty`);
      if (want.allow && !masks) throw new SessionError("want", "this device chooses tokens without a mask of them");
    }
    if (want.allow && want.allow.length < Math.ceil(vocab / 32))
      throw new SessionError("want", `an allow mask of ${want.allow.length} words for a vocabulary of ${vocab}`);
  }

  #rewind(slot: number, to: number): void {
    const back = this.#furthest[slot]! - to;
    const { rewind, lockstep } = this.limits;
    if (to !== 0 && (back > rewind || lockstep))
      throw new SessionError("rewind", `slot ${slot} can't go back ${back} tokens to ${to}, only ${rewind} or to 0`);
  }

  #together(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const width = widest(rows);
    if (startsTogether(rows)) {
      const others = this.#lengths.some((length, slot) => length > 0 && !rows.some((row) => row.slot === slot));
      if (others) throw new SessionError("lockstep", "rows start while others are still held; trim those to 0 first");
      return;
    }
    for (const { slot, at } of rows)
      if (at === 0 || at !== this.#lengths[slot])
        throw new SessionError("lockstep", `slot ${slot} starts at ${at}; all rows start together, then go on`);
    const idle = this.#lengths.findIndex((length, slot) => length > 0 && !rows.some((row) => row.slot === slot));
    if (idle >= 0) throw new SessionError("lockstep", `slot ${idle} holds tokens and has no row in this step`);
    if (this.#index + width > this.limits.context)
      throw new SessionError("context", `all rows share ${this.limits.context} columns; ${this.#index + width} wanted`);
  }

  #slot(slot: number): void {
    if (!Number.isInteger(slot) || slot < 0 || slot >= this.limits.slots)
      throw new SessionError("slot", `slot ${slot} of ${this.limits.slots}`);
  }

  #set(slot: number, length: number): void {
    this.#total += length - this.#lengths[slot]!;
    this.#lengths[slot] = length;
  }

  #clear(): void {
    this.#lengths.fill(0);
    this.#furthest.fill(0);
    this.#total = 0;
    this.#index = 0;
  }
}

function startsTogether(rows: readonly Row[]): boolean {
  return rows.every(({ at }) => at === 0);
}

function widest(rows: readonly Row[]): number {
  return rows.reduce((width, { tokens }) => Math.max(width, tokens.length), 0);
}
