import { invalid, tooMany, unavailable } from "@llm/protocol";
import { stopping } from "../http/stopping.ts";

export interface DeskLimits {
  /** Answers that may be under way or waiting, of everybody together. */
  readonly answers?: number;
  /** The same of one caller. */
  readonly answersOfOne?: number;
  /** Requests of one caller in a minute; a burst may use a minute's at once. */
  readonly perMinute?: number;
}

/** Enough for a few hundred clients; what waits holds its prompt in memory. */
const ANSWERS = 512;

/** Seconds after which it is worth asking again: answers take about that long. */
const SOON = 2;

/** Callers whose rates are remembered; full buckets say nothing and are dropped first. */
const MAX_CALLERS = 10_000;

/** Somebody who was let in, until they leave. */
export interface Visit {
  leave(): void;
  /** Raised where the server stops before they have their answer. */
  readonly signal: AbortSignal;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Decides who may come in, so that neither memory nor the queue grows without end. */
export class Desk {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #perMinute: number | undefined;
  readonly #now: () => number;
  readonly #visits = new Set<AbortController>();
  readonly #held = new Map<string, number>();
  readonly #buckets = new Map<string, Bucket>();
  #answers = 0;
  #closed = false;
  #onEmpty: (() => void) | undefined;

  constructor(limits: DeskLimits = {}, now: () => number = Date.now) {
    this.#most = limits.answers ?? ANSWERS;
    this.#mostOfOne = limits.answersOfOne ?? Number.POSITIVE_INFINITY;
    this.#perMinute = limits.perMinute;
    this.#now = now;
  }

  /** Answers that are under way or wait. */
  get answers(): number {
    return this.#answers;
  }

  /** True once nobody is let in any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets a caller in for so many answers, which `field` asks for. @throws ApiError 400, 429 or 503, the latter two with when to come again */
  enter(caller: string, answers: number, field: string | null = null): Visit {
    if (this.#closed) throw stopping();
    const most = Math.min(this.#most, this.#mostOfOne);
    if (answers > most)
      throw invalid(field, `This request asks for ${answers} answers, and at most ${most} may be under way`);
    const held = this.#held.get(caller) ?? 0;
    if (held + answers > this.#mostOfOne)
      throw tooMany(`At most ${this.#mostOfOne} answers at once for one caller; ${held} are under way`, SOON);
    if (this.#answers + answers > this.#most)
      throw unavailable(`The queue is full: ${this.#answers} answers are under way or waiting`, SOON);
    this.#count(caller);

    const controller = new AbortController();
    this.#visits.add(controller);
    this.#answers += answers;
    this.#held.set(caller, held + answers);
    const leave = (): void => {
      if (!this.#visits.delete(controller)) return;
      this.#answers -= answers;
      const left = this.#held.get(caller)! - answers;
      if (left === 0) this.#held.delete(caller);
      else this.#held.set(caller, left);
      if (this.#visits.size === 0) this.#onEmpty?.();
    };
    return { leave, signal: controller.signal };
  }

  /** Lets nobody in any more, and waits until everybody has left; whoever hasn't after so long is told that the server stops. */
  async drain(ms: number): Promise<void> {
    this.#closed = true;
    if (this.#visits.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    const late = setTimeout(() => {
      const reason = stopping();
      for (const visit of this.#visits) visit.abort(reason);
    }, ms);
    await empty;
    clearTimeout(late);
  }

  /** One request of a caller's rate, where there is one. */
  #count(caller: string): void {
    if (this.#perMinute === undefined) return;
    const now = this.#now();
    const bucket = this.#buckets.get(caller) ?? { tokens: this.#perMinute, at: now };
    const tokens = Math.min(this.#perMinute, bucket.tokens + ((now - bucket.at) * this.#perMinute) / 60_000);
    if (tokens < 1) {
      const wait = Math.ceil(((1 - tokens) * 60) / this.#perMinute);
      throw tooMany(`At most ${this.#perMinute} requests a minute for one caller`, wait);
    }
    // Those that were here last stand last, so that whoever is dropped was away the longest.
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { tokens: tokens - 1, at: now });
    if (this.#buckets.size > MAX_CALLERS) this.#buckets.delete(this.#buckets.keys().next().value!);
  }
}
