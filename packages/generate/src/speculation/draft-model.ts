import type { Row, Session } from "@llm/target";
import { GenerateError } from "../error.ts";
import type { Sequence } from "../scheduler/sequence.ts";
import { RecentTimes } from "./recent-times.ts";

/** Tokens of a row up to which a step counts as one of guessing: what was accepted since the last draft, not a text's beginning. */
const CAUGHT_UP = 32;

/** Steps of guessing after which their time is known: the first has much to set up. */
const TRIES = 2;

interface Seat {
  readonly slot: number;
  /** What the slot holds. */
  tokens: number[];
  /** Where it was at most since it was begun: how far back it can go counts from there. */
  furthest: number;
}

export interface DraftModelOptions {
  readonly vocab: number;
  readonly now: () => number;
  /** The most tokens of texts that are read at a time. */
  readonly readTokens: number;
}

/** One sequence while its guesses are made. */
interface Work {
  readonly sequence: Sequence;
  readonly seat: Seat;
  readonly count: number;
  readonly tokens: number[]; // text and guesses
  random: Sequence["random"];
  done: boolean;
}

/**
 * A smaller model that guesses what the larger one will say. It chooses by the same options and the same draws: where both
 * find the same tokens likely, the same is drawn.
 */
export class DraftModel {
  readonly #times = new RecentTimes();
  readonly #session: Session;
  readonly #seats = new Map<Sequence, Seat>();
  readonly #free: Seat[]; // whichever was used longest ago first
  readonly #scores: Float32Array;
  readonly #now: () => number;
  readonly #readTokens: number;

  /** @param options `vocab`: how many tokens the larger model knows; where the two differ, the rest is never guessed */
  constructor(session: Session, { vocab, now, readTokens }: DraftModelOptions) {
    const { lockstep, slots, wants, rewind } = session.limits;
    if (lockstep || rewind === 0 || !wants.includes("logits"))
      throw new GenerateError(
        "unsupported",
        "the draft model's device must go back over tokens and give logits; open it for another target",
      );
    this.#session = session;
    this.#now = now;
    this.#readTokens = readTokens;
    this.#free = Array.from({ length: slots }, (_, slot) => ({ slot, tokens: [], furthest: 0 }));
    this.#scores = new Float32Array(vocab);
  }

  /** What a guessed token costs; nothing, until that is known. Reading what it has not seen is no part of it. */
  get msPerToken(): number {
    return this.#times.count < TRIES ? 0 : this.#times.middle;
  }

  /**
   * Up to `count` guesses for each; none for a text that there is no slot or no room for, or whose options leave nothing to guess;
   * undefined for one that is still being read: `readTokens` of those at a time, so that nobody waits for a long text.
   */
  async draft(
    asked: readonly { readonly sequence: Sequence; readonly count: number }[],
  ): Promise<(Int32Array | undefined)[]> {
    const works = asked.map(({ sequence, count }) => this.#begin(sequence, count));
    const begun = works.filter((work) => work !== undefined);
    const unread = begun.filter((work) => behind(work) > CAUGHT_UP);
    if (unread.length > 0) await this.#read(unread);
    let active = begun.filter((work) => !unread.includes(work));
    while (active.length > 0) {
      const began = this.#now();
      await this.#step(active);
      this.#times.push(this.#now() - began);
      active = active.filter((work) => !work.done);
    }
    return works.map((work) =>
      work && unread.includes(work) ? undefined : Int32Array.from(work?.tokens.slice(work.sequence.length) ?? []),
    );
  }

  /** The sequence is done, or has to wait: its slot is for others, those first that begin alike. */
  forget(sequence: Sequence): void {
    const seat = this.#seats.get(sequence);
    if (!seat) return;
    this.#seats.delete(sequence);
    this.#free.push(seat);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #begin(sequence: Sequence, count: number): Work | undefined {
    const { context, vocab, rewind, cacheTokens, slots } = this.#session.limits;
    const room = Math.min(context, Math.floor(cacheTokens / slots)); // a share for each, so that none is in another's way
    const most = Math.min(count, rewind, room - sequence.length);
    const tokens = Array.from(sequence.tokens());
    if (most < 1 || tokens.some((id) => id >= vocab)) return undefined;
    const seat = this.#seats.get(sequence) ?? this.#seatFor(tokens);
    if (!seat) return undefined;
    this.#seats.set(sequence, seat);
    return { sequence, seat, count: most, tokens, random: sequence.random, done: false };
  }

  /** The free slot that holds the most of a text's beginning. */
  #seatFor(tokens: readonly number[]): Seat | undefined {
    const { rewind } = this.#session.limits;
    let [best, most] = [0, 0];
    for (const [i, seat] of this.#free.entries()) {
      const common = equal(seat.tokens, tokens, tokens.length - 1);
      if (common > most && seat.furthest - common <= rewind) [best, most] = [i, common];
    }
    const [seat] = this.#free.splice(best, 1);
    if (seat && most === 0) seat.tokens = [];
    return seat;
  }

  /** Takes in some of texts that are far behind, as many tokens as may be read at a time. */
  async #read(works: readonly Work[]): Promise<void> {
    const { chunk } = this.#session.limits;
    const rows: Row[] = [];
    let free = this.#readTokens;
    for (const work of works) {
      if (free === 0) break; // the rest has its turn later
      const row = rowOf(work, Math.min(chunk, free, behind(work) - 1));
      free -= row.tokens.length;
      rows.push(row);
    }
    await this.#session.step(rows);
    for (const [i, row] of rows.entries()) took(works[i]!, row);
  }

  async #step(works: readonly Work[]): Promise<void> {
    const { chunk } = this.#session.limits;
    const rows = works.map((work): Row => {
      const row = rowOf(work, chunk);
      const isLast = row.at + row.tokens.length === work.tokens.length;
      return isLast ? { ...row, want: { kind: "logits", last: 1 } } : row;
    });
    const results = await this.#session.step(rows);
    for (const [i, row] of rows.entries()) {
      took(works[i]!, row);
      if (row.want) this.#choose(works[i]!, results[i]!.logits!);
    }
  }

  #choose(work: Work, logits: Float32Array): void {
    const scores = this.#scores.fill(Number.NEGATIVE_INFINITY);
    scores.set(logits.subarray(0, scores.length));
    const { sampler, history } = work.sequence;
    const so = { ...history, tokens: work.tokens, length: work.tokens.length };
    try {
      const { token, random } = sampler.choose(scores, so, work.random);
      work.tokens.push(token);
      work.random = random;
      work.done = work.tokens.length - work.sequence.length >= work.count;
    } catch (error) {
      // Of what this model can say, this request's options may leave nothing: that is no trouble of anybody else's.
      if (!GenerateError.isInstance(error)) throw error;
      work.done = true;
    }
  }
}

/** How many tokens of a text its slot doesn't hold; one at least, to go on from. */
function behind({ seat, tokens }: Work): number {
  return tokens.length - equal(seat.tokens, tokens, tokens.length - 1);
}

/** The next tokens of a text, `most` at most. */
function rowOf(work: Work, most: number): Row {
  const at = work.tokens.length - behind(work);
  return { slot: work.seat.slot, at, tokens: Int32Array.from(work.tokens.slice(at, at + most)) };
}

function took({ seat, tokens }: Work, { at, tokens: { length } }: Row): void {
  seat.tokens = tokens.slice(0, at + length);
  seat.furthest = at === 0 ? length : Math.max(seat.furthest, at + length);
}

/** How many tokens two texts have in common from their beginnings, `most` at most. */
function equal(a: readonly number[], b: readonly number[], most: number): number {
  let n = 0;
  while (n < most && n < a.length && a[n] === b[n]) n++;
  return n;
}
