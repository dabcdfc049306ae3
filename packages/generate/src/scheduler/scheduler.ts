import { type ForkMove, type RowResult, type Session, SessionError } from "@llm/target";
import { DeviceFailedError, GenerateError } from "../error.ts";
import { DraftModel } from "../speculation/draft-model.ts";
import { Speculation } from "../speculation/speculation.ts";
import { Lockstep } from "./lockstep.ts";
import { type PlannedRow, planStep, rank } from "./plan-step.ts";
import type { GenerateRequest, ReadRequest, Ticket } from "./request.ts";
import { packSaved, unpackSaved } from "./saved.ts";
import { Sequence } from "./sequence.ts";
import { SharedPrompts } from "./shared-prompts.ts";
import { SlotTable } from "./slot-table.ts";
import { readResult, wantFor } from "./wants.ts";

export interface SchedulerOptions {
  /** Tokens of prompts in one step, all rows together: more is faster for them, less is smoother for those that decode. */
  readonly promptTokensPerStep?: number;
  /** A smaller model of the same vocabulary, that guesses for requests that speculate. Closed with the scheduler. */
  readonly draft?: Session;
  /** Milliseconds, by which it is measured what guessing brings: `performance.now` unless said. */
  readonly now?: () => number;
  /** Keep what finished requests left for others that begin alike. True unless said. */
  readonly reusePrefixes?: boolean;
}

/** What a scheduler has done so far. */
export interface SchedulerStats {
  readonly steps: number;
  readonly running: number;
  readonly waiting: number;
  readonly preemptions: number;
  readonly cachedTokens: number;
  /** Tokens that the cache holds now, of those that run and of those that ended. */
  readonly heldTokens: number;
  /** Guesses sent to the model, and those of them that were right. */
  readonly draftTokens: number;
  readonly acceptedTokens: number;
  /** Why the draft model is no longer asked, if it failed. */
  readonly draftFailure?: unknown;
}

/** This many steps of waiting count as much as one more of priority. */
const STEPS_LIKE_PRIORITY = 256;

/**
 * Continuous batching over any session, by its limits alone: requests join and leave between steps, prompts come in chunks
 * beside those that decode, equal beginnings are computed once, and who has to make room is computed anew later.
 */
export class Scheduler {
  readonly session: Session;
  readonly #slots: SlotTable;
  readonly #shared: SharedPrompts;
  readonly #lockstep: Lockstep | undefined;
  readonly #speculation: Speculation | undefined;
  readonly #promptTokens: number;
  readonly #reuse: boolean;
  readonly #now: () => number;
  readonly #waiting: Sequence[] = [];
  #running: Sequence[] = [];
  readonly #errands: (() => Promise<void>)[] = []; // calls of the session that must not meet a step
  #pumping: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #failed: { readonly cause: unknown } | undefined; // the device is beyond use
  #steps = 0;
  #preemptions = 0;
  #cachedTokens = 0;
  #draftTokens = 0;
  #acceptedTokens = 0;

  constructor(
    session: Session,
    { promptTokensPerStep = 512, reusePrefixes = true, draft, now }: SchedulerOptions = {},
  ) {
    this.session = session;
    this.#slots = new SlotTable(session.limits);
    this.#shared = new SharedPrompts(session.limits);
    this.#lockstep = session.limits.lockstep ? new Lockstep(session.limits) : undefined;
    this.#now = now ?? (() => performance.now());
    this.#promptTokens = Math.max(1, promptTokensPerStep);
    const { vocab } = session.limits;
    const model = draft && new DraftModel(draft, { vocab, now: this.#now, readTokens: this.#promptTokens });
    if (Speculation.fits(session.limits)) this.#speculation = new Speculation(session.limits, model);
    else if (draft)
      throw new GenerateError(
        "unsupported",
        "this device can't go back over tokens, so a draft model is of no use to it",
      );
    this.#reuse = reusePrefixes;
  }

  /** How many tokens a sequence can come to, prompt included. */
  get room(): number {
    const { context, cacheTokens } = this.session.limits;
    return Math.min(context, cacheTokens);
  }

  get stats(): SchedulerStats {
    const counts = { running: this.#running.length, waiting: this.#waiting.length };
    const tokens = { cachedTokens: this.#cachedTokens, heldTokens: this.#slots.total };
    const guesses = { draftTokens: this.#draftTokens, acceptedTokens: this.#acceptedTokens };
    const draftFailure = this.#speculation?.modelFailure;
    const failed = draftFailure === undefined ? {} : { draftFailure };
    return { steps: this.#steps, ...counts, preemptions: this.#preemptions, ...tokens, ...guesses, ...failed };
  }

  /** Queues a request. Throws at once what can be known at once: a prompt too long, options that make no sense. */
  submit(request: GenerateRequest): Ticket {
    this.#mustBeOpen();
    request.signal?.throwIfAborted();
    const { limits } = this.session;
    const { vocab, adapters } = limits;
    const speculates = this.#speculation !== undefined;
    const sequence = new Sequence(request, { vocab, room: this.room, adapters, speculates });
    if (!request.read) wantFor(sequence, limits); // refuses what the device can't answer
    sequence.waitingSince = this.#steps;
    const cancel = (reason: unknown = new DOMException("the request was cancelled", "AbortError")): void =>
      sequence.fail(reason);
    const onAbort = (): void => cancel(request.signal!.reason);
    request.signal?.addEventListener("abort", onAbort, { once: true });
    const forget = (): void => request.signal?.removeEventListener("abort", onAbort);
    sequence.done.then(forget, forget);
    this.#waiting.push(sequence);
    this.#start();
    return { done: sequence.done, cancel };
  }

  /** What the model says of given tokens, without any being added. */
  read(request: ReadRequest): Ticket {
    const { tokens, kind, onRows, ...rest } = request;
    const { limits } = this.session;
    if (!limits.wants.includes(kind))
      throw new GenerateError("unsupported", `this device gives no ${kind}, only ${limits.wants.join(", ")}`);
    const from = request.from ?? tokens.length - 1;
    return this.submit({ prompt: tokens, maxNewTokens: 0, ...rest, read: { kind, from, onRows } });
  }

  /** What the cache holds of the beginning of these tokens, as bytes to keep; nothing where the session can't or has nothing. */
  async save(tokens: Int32Array): Promise<Uint8Array | undefined> {
    const { session } = this;
    if (!session.save) return undefined;
    return this.#between(async () => {
      const match = this.#slots.holding(tokens);
      if (!match) return undefined;
      const held = this.#slots.tokensOf(match.slot);
      if (held.length !== this.#slots.lengthOf(match.slot)) return undefined; // still being written
      return packSaved({
        tokens: held,
        reach: this.#slots.reachOf(match.slot),
        state: await session.save!(match.slot),
      });
    });
  }

  /** Puts saved bytes into the cache; returns how many tokens came back: none where there is no room for them. */
  async restore(bytes: Uint8Array): Promise<number> {
    const { session } = this;
    if (!session.restore) return 0;
    const { tokens, reach, state } = unpackSaved(bytes);
    return this.#between(async () => {
      const slot = this.#slots.idle();
      if (slot === undefined || tokens.length > this.room) return 0;
      while (this.#slots.total - this.#slots.lengthOf(slot) + tokens.length > session.limits.cacheTokens) {
        const victim = this.#slots.evictable(slot);
        if (victim === undefined) return 0;
        await this.#empty(victim);
      }
      const length = await session.restore!(slot, state);
      this.#slots.filled(slot, tokens.subarray(0, length), reach);
      return length;
    });
  }

  /** Ends everything under way and closes the session, once; also after the device failed. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const reason = new GenerateError("closed", "the generator was closed");
    for (const sequence of [...this.#waiting, ...this.#running]) sequence.fail(reason);
    while (this.#pumping) await this.#pumping;
    await this.#speculation?.close();
    await this.session.close();
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new GenerateError("closed", "the generator is closed");
    if (this.#failed) throw new DeviceFailedError(this.#failed.cause);
  }

  async #between<T>(errand: () => Promise<T>): Promise<T> {
    this.#mustBeOpen();
    const result = new Promise<T>((resolve, reject) => {
      this.#errands.push(() =>
        errand().then(resolve, async (error: unknown) => {
          // A session tells once what it has lost, and this may be when.
          if (SessionError.isInstance(error) && (error.lost?.length ?? 0) > 0) await this.#collapse(error);
          reject(error);
        }),
      );
    });
    this.#start();
    return result;
  }

  #start(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (this.#errands.length > 0 || this.#waiting.length > 0) this.#start();
    });
  }

  async #pump(): Promise<void> {
    await null; // what is submitted together starts together
    for (;;) {
      for (let errand = this.#errands.shift(); errand; errand = this.#errands.shift()) await errand();
      try {
        await this.#settle();
        if (this.#running.length === 0 && this.#waiting.length === 0) {
          if (this.#errands.length === 0) return;
          continue;
        }
        await this.#step();
      } catch (error) {
        await this.#collapse(error);
      }
    }
  }

  /** Gives back the slots of those that are done, and lets in those that fit. */
  async #settle(): Promise<void> {
    for (const sequence of this.#running) if (sequence.finished) await this.#leave(sequence);
    this.#running = this.#running.filter(({ finished }) => !finished);
    remove(this.#waiting, ({ finished }) => finished);
    if (this.#lockstep) {
      if (!this.#lockstep.mustStart(this.#running, this.#waiting.length)) return;
      for (const sequence of this.#running) sequence.held = 0;
    }
    if (this.#waiting.length > 0) await this.#admit();
  }

  async #admit(): Promise<void> {
    const age = (s: Sequence): number => rank(s) + Math.floor((this.#steps - s.waitingSince) / STEPS_LIKE_PRIORITY);
    this.#waiting.sort((a, b) => age(b) - age(a) || a.arrival - b.arrival);
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      if (!this.#fits(next) || !(await this.#seat(next))) {
        const victim = this.#lowest();
        if (this.#lockstep || !victim || victim.importance >= rank(next)) return;
        await this.#preempt(victim);
        continue;
      }
      next.importance = age(next);
      this.#waiting.shift();
      this.#running.push(next);
    }
  }

  /** Whether all that run and this one have room for what they are now and one token more. */
  #fits(next: Sequence): boolean {
    const needed = this.#running.reduce((sum, { length }) => sum + length + 1, next.length);
    return this.#running.length === 0 || needed <= this.session.limits.cacheTokens;
  }

  async #seat(sequence: Sequence): Promise<boolean> {
    let placement = this.#slots.place(sequence);
    if (!placement) return false;
    const { fork, slot } = placement;
    if (fork) {
      // What the slot held goes first: making room might empty it anyway, and then the sum would be another.
      if (this.#slots.lengthOf(slot) > 0) await this.#empty(slot);
      if (await this.#makeRoom(fork.length, fork.from)) await this.#copy(fork, sequence);
      else placement = { slot, reused: 0 }; // the copy doesn't fit: computed anew instead
    }
    this.#slots.take(placement, sequence);
    if (sequence.cachedTokens === undefined) {
      sequence.cachedTokens = Math.min(placement.reused, sequence.promptLength);
      this.#cachedTokens += sequence.cachedTokens;
      sequence.request.onStart?.();
    }
    return true;
  }

  /** Those that waited for what another prompt computes copy it, once all of it is there. */
  async #catchUp(): Promise<void> {
    for (const sequence of this.#running) {
      if (sequence.pending === 1) continue; // it decodes
      const waits = sequence.finished || this.#shared.aheadOf(sequence, this.#running) !== undefined;
      const fork = waits ? undefined : this.#slots.copyFor(sequence);
      if (!fork || !(await this.#makeRoom(fork.length - sequence.held, fork.from))) continue;
      await this.#copy(fork, sequence);
      if (sequence.held === sequence.cachedTokens) {
        sequence.cachedTokens = Math.min(fork.length, sequence.promptLength);
        this.#cachedTokens += sequence.cachedTokens - sequence.held;
      }
      this.#slots.take({ slot: fork.to, reused: fork.length, fork }, sequence);
    }
  }

  /** Whoever can't be given a copy ends with the reason: it would be given the same one again. */
  async #copy(fork: ForkMove, sequence: Sequence): Promise<void> {
    try {
      await this.session.fork!([fork]);
    } catch (error) {
      sequence.fail(error);
      throw error;
    }
  }

  async #step(): Promise<void> {
    await this.#speculation?.guess(this.#running);
    if (!this.#lockstep) await this.#catchUp();
    const planned = await this.#planWithin();
    if (planned.length === 0) return;
    const began = this.#now();
    const results = await this.session.step(planned.map(({ row }) => row));
    this.#steps++;
    for (const [i, one] of planned.entries()) this.#read(one, results[i]!);
    const tokens = planned.reduce((sum, { row }) => sum + row.tokens.length, 0);
    const decodes = planned.every(({ row, guesses }) => row.tokens.length === 1 + guesses.length);
    if (decodes) this.#speculation?.costs.observe(planned.length, tokens, this.#now() - began);
  }

  /** Takes over what the device answered to one row: a token, and one more for each guess that was right. */
  #read({ sequence, row, want, guesses }: PlannedRow, result: RowResult): void {
    const before = row.at + row.tokens.length - guesses.length; // held, whatever the guesses are worth
    sequence.held = before;
    if (sequence.request.read) {
      this.#slots.wrote(sequence, row.at, before);
      sequence.told(want, result);
      return;
    }
    let right = 0;
    sequence.drafts?.send(guesses.length);
    try {
      for (let at = 0; want && !sequence.finished && at < want.last; at++) {
        const { token, random } = readResult(sequence, want, result, at);
        const isRight = token.id === guesses[at];
        if (at < guesses.length) sequence.drafts!.judge(isRight);
        if (isRight) sequence.held = before + ++right;
        sequence.accept(token, random);
        if (!isRight) break;
      }
    } catch (error) {
      sequence.fail(error); // options that leave nothing to choose are one request's trouble
    }
    this.#slots.wrote(sequence, row.at, row.at + row.tokens.length);
    this.#draftTokens += guesses.length;
    this.#acceptedTokens += right;
  }

  /** The next step's rows, once what they add fits: idle histories go first, then whoever ranks lowest waits. */
  async #planWithin(): Promise<PlannedRow[]> {
    if (this.#lockstep) return this.#lockstep.plan(this.#running);
    const rules = { limits: this.session.limits, shared: this.#shared, promptTokens: this.#promptTokens };
    for (;;) {
      const planned = planStep(this.#running, this.#steps, rules);
      const growth = planned.reduce(
        (sum, { row }) => sum + row.at + row.tokens.length - this.#slots.lengthOf(row.slot),
        0,
      );
      if (await this.#makeRoom(growth)) return planned;
      if (planned.some(({ guesses }) => guesses.length > 0)) {
        for (const { sequence } of planned) sequence.drafts?.clear();
        continue;
      }
      await this.#preempt(this.#lowest()!);
    }
  }

  async #makeRoom(growth: number, but = -1): Promise<boolean> {
    while (this.#slots.total + growth > this.session.limits.cacheTokens) {
      const victim = this.#slots.evictable(but);
      if (victim === undefined) return false;
      await this.#empty(victim);
    }
    return true;
  }

  #lowest(): Sequence | undefined {
    return this.#running.toSorted((a, b) => a.importance - b.importance || b.arrival - a.arrival)[0];
  }

  /** Sends a sequence back to wait; what it had is computed anew, or found again if nobody needs the room. */
  async #preempt(sequence: Sequence): Promise<void> {
    this.#preemptions++;
    remove(this.#running, (other) => other === sequence);
    sequence.waitingSince = this.#steps;
    this.#waiting.push(sequence); // first, so that it is somewhere if the device fails now
    await this.#leave(sequence);
  }

  async #leave(sequence: Sequence): Promise<void> {
    const { slot, held } = sequence;
    this.#speculation?.forget(sequence);
    this.#slots.release(sequence);
    if (this.#lockstep || !this.#reuse) await this.#empty(slot);
    else if (held < this.#slots.lengthOf(slot)) {
      await this.session.trim(slot, held); // wrong guesses
      this.#slots.trimmed(slot, held);
    }
  }

  async #empty(slot: number): Promise<void> {
    await this.session.trim(slot, 0);
    this.#slots.emptied(slot);
  }

  /**
   * The device failed. Everything that was in the slots that are lost ends with the reason: all of it, where nobody knows
   * what they hold now. What is left goes on.
   */
  async #collapse(error: unknown): Promise<void> {
    const known = SessionError.isInstance(error) && error.lost !== undefined && error.lost.length > 0;
    const lost = known ? new Set(error.lost) : undefined;
    const gone = this.#running.filter(({ slot }) => !lost || lost.has(slot));
    this.#running = this.#running.filter((sequence) => !gone.includes(sequence));
    for (const sequence of gone) {
      sequence.fail(error);
      this.#speculation?.forget(sequence);
      if (sequence.slot >= 0) this.#slots.release(sequence);
    }
    try {
      for (const slot of lost ?? Array(this.session.limits.slots).keys()) await this.#empty(slot);
    } catch {
      this.#failed = { cause: error }; // nothing works any more
      for (const sequence of [...this.#running.splice(0), ...this.#waiting.splice(0)]) sequence.fail(error);
    }
  }
}

function remove<T>(list: T[], goes: (item: T) => boolean): void {
  for (let i = list.length - 1; i >= 0; i--) if (goes(list[i]!)) list.splice(i, 1);
}
