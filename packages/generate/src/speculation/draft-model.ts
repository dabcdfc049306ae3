import type { Row, Session, Want } from "@llm/target";
import { GenerateError } from "../error.ts";
import type { Sequence } from "../scheduler/sequence.ts";

interface Seat {
  readonly slot: number;
  /** What the slot holds. */
  tokens: number[];
}

/** One sequence while its guesses are made. */
interface Work {
  readonly sequence: Sequence;
  readonly seat: Seat;
  readonly count: number;
  readonly tokens: number[]; // text and guesses
  random: Sequence["random"];
}

/**
 * A smaller model that guesses what the larger one will say. It chooses by the same options and the same draws: where both
 * find the same tokens likely, the same is drawn.
 */
export class DraftModel {
  /** What a guessed token has cost lately. */
  msPerToken = 0;
  readonly #session: Session;
  readonly #seats = new Map<Sequence, Seat>();
  readonly #free: number[];
  readonly #scores: Float32Array;
  readonly #now: () => number;

  /** @param vocab how many tokens the larger model knows; where the two differ, the rest is never guessed */
  constructor(session: Session, vocab: number, now: () => number) {
    const { lockstep, slots, wants, rewind } = session.limits;
    if (lockstep || rewind === 0 || !wants.includes("logits"))
      throw new GenerateError(
        "unsupported",
        "the draft model's device must go back over tokens and give logits; open it for another target",
      );
    this.#session = session;
    this.#now = now;
    this.#free = Array.from({ length: slots }, (_, slot) => slot);
    this.#scores = new Float32Array(vocab);
  }

  /** Up to `count` guesses for each; none for a text that there is no slot or no room for. */
  async draft(asked: readonly { readonly sequence: Sequence; readonly count: number }[]): Promise<Int32Array[]> {
    const began = this.#now();
    const works = asked.map(({ sequence, count }) => this.#begin(sequence, count));
    const active = works.filter((work) => work !== undefined);
    while (active.length > 0) {
      await this.#step(active);
      for (let i = active.length - 1; i >= 0; i--)
        if (active[i]!.tokens.length - active[i]!.sequence.length >= active[i]!.count) active.splice(i, 1);
    }
    const guesses = works.map((work) => Int32Array.from(work?.tokens.slice(work.sequence.length) ?? []));
    const made = guesses.reduce((sum, { length }) => Math.max(sum, length), 0);
    const ms = (this.#now() - began) / Math.max(1, made);
    if (made > 0) this.msPerToken = this.msPerToken === 0 ? ms : 0.8 * this.msPerToken + 0.2 * ms;
    return guesses;
  }

  /** The sequence is done, or has to wait: its slot is for others. */
  forget(sequence: Sequence): void {
    const seat = this.#seats.get(sequence);
    if (!seat) return;
    this.#seats.delete(sequence);
    this.#free.push(seat.slot);
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #begin(sequence: Sequence, count: number): Work | undefined {
    const { context, vocab, rewind, cacheTokens, slots } = this.#session.limits;
    const room = Math.min(context, Math.floor(cacheTokens / slots)); // a share for each, so that none is in another's way
    const most = Math.min(count, rewind, room - sequence.length);
    if (most < 1 || sequence.tokens().some((id) => id >= vocab)) return undefined;
    let seat = this.#seats.get(sequence);
    if (!seat) {
      const slot = this.#free.pop();
      if (slot === undefined) return undefined;
      seat = { slot, tokens: [] };
      this.#seats.set(sequence, seat);
    }
    return { sequence, seat, count: most, tokens: Array.from(sequence.tokens()), random: sequence.random };
  }

  async #step(works: readonly Work[]): Promise<void> {
    const { chunk } = this.#session.limits;
    const rows = works.map(({ seat, tokens }): Row => {
      const at = equal(seat.tokens, tokens, tokens.length - 1);
      const next = Int32Array.from(tokens.slice(at, at + chunk));
      const want: Want | undefined = at + next.length === tokens.length ? { kind: "logits", last: 1 } : undefined;
      return { slot: seat.slot, at, tokens: next, ...(want ? { want } : {}) };
    });
    const results = await this.#session.step(rows);
    for (const [i, { slot: _, at, tokens, want }] of rows.entries()) {
      const work = works[i]!;
      work.seat.tokens = work.tokens.slice(0, at + tokens.length);
      if (want) this.#choose(work, results[i]!.logits!);
    }
  }

  #choose(work: Work, logits: Float32Array): void {
    const scores = this.#scores.fill(Number.NEGATIVE_INFINITY);
    scores.set(logits.subarray(0, scores.length));
    const { sampler, history } = work.sequence;
    const so = { ...history, tokens: work.tokens, length: work.tokens.length };
    const { token, random } = sampler.choose(scores, so, work.random);
    work.tokens.push(token);
    work.random = random;
  }
}

/** How many tokens two texts have in common from their beginnings, `most` at most. */
function equal(a: readonly number[], b: readonly number[], most: number): number {
  let n = 0;
  while (n < most && n < a.length && a[n] === b[n]) n++;
  return n;
}
