import { SessionError } from "./error.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import type { ForkMove, Limits, Row, RowResult, Session } from "./session.ts";
import { SlotLedger } from "./slot-ledger.ts";

/** Opens so many copies of a model, one after the other; what is open is closed again where one can't be. */
export async function openCopies(count: number, open: (copy: number) => Promise<Session>): Promise<Session> {
  const copies: Session[] = [];
  try {
    for (let copy = 0; copy < count; copy++) copies.push(await open(copy));
    return copies.length === 1 ? copies[0]! : new CopiesSession(copies);
  } catch (error) {
    await Promise.all(copies.map((copy) => copy.close()));
    throw error;
  }
}

/**
 * Copies of a model, each on devices of its own, as one session with all their slots: the first copy's, then the second's. Rows of
 * several run at the same time. A history goes from one copy to another by being saved and restored.
 */
class CopiesSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  fork?: NonNullable<Session["fork"]>;
  save?: NonNullable<Session["save"]>;
  restore?: NonNullable<Session["restore"]>;
  readonly #copies: readonly Session[];
  readonly #each: number;
  /** What it refuses, it refuses before any copy is asked. */
  readonly #ledger: SlotLedger;
  readonly #calls = new OneAtATime();

  constructor(copies: readonly Session[]) {
    const [first] = copies as [Session];
    const { limits } = first;
    if (limits.lockstep)
      throw new SessionError("unsupported", "rows that start together are one device's: copies of it can't share them");
    const moves = first.fork !== undefined && first.save !== undefined && first.restore !== undefined;
    this.#copies = copies;
    this.#each = limits.slots;
    this.limits = {
      ...limits,
      slots: limits.slots * copies.length,
      // Where a copy can't hold all its slots full, what one of them holds fits wherever it is.
      cacheTokens: limits.cacheTokens * (limits.cacheTokens < limits.slots * limits.context ? 1 : copies.length),
      fork: moves ? "copy" : "none",
      adapters: 0,
    };
    this.#ledger = new SlotLedger(this.limits);
    if (moves) this.fork = (list) => this.#calls.run(() => this.#fork(list));
    if (first.save) this.save = (slot) => this.#calls.run(() => this.#at(slot).save());
    if (first.restore) this.restore = (slot, saved) => this.#calls.run(() => this.#restore(slot, saved));
  }

  step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#calls.run(async () => {
      this.#ledger.check(rows);
      const results: RowResult[] = rows.map(() => ({}));
      const parts = Map.groupBy(rows.keys(), (index) => this.#home(rows[index]!.slot).copy);
      const done: Row[] = [];
      const settled = await Promise.allSettled(
        [...parts].map(async ([copy, indexes]) => {
          const own = indexes.map((index) => ({ ...rows[index]!, slot: this.#home(rows[index]!.slot).slot }));
          const answers = await this.#told(copy, this.#copies[copy]!.step(own));
          answers.forEach((answer, i) => {
            results[indexes[i]!] = answer;
          });
          done.push(...indexes.map((index) => rows[index]!));
        }),
      );
      const failed = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
      if (failed.length > 0) throw await this.#afterFailure(done, failed);
      this.#ledger.commit(rows);
      return results;
    });
  }

  trim(slot: number, length: number): Promise<void> {
    return this.#calls.run(async () => {
      if (this.#ledger.trim(slot, length)) await this.#at(slot).trim(length);
    });
  }

  async close(): Promise<void> {
    if (!this.#calls.close()) return;
    await Promise.all(this.#copies.map((copy) => copy.close()));
  }

  async #fork(moves: readonly ForkMove[]): Promise<void> {
    this.#ledger.fork(moves);
    try {
      await this.#copy(moves);
    } catch (cause) {
      if (!SessionError.isInstance(cause)) throw cause;
      // Some are there and others not: no target holds what it did, or surely what it was to.
      const lost = moves.map(({ to }) => to);
      for (const slot of lost) this.#ledger.replace(slot, 0);
      throw new SessionError(cause.code, cause.message, {
        cause,
        lost: [...new Set([...lost, ...(cause.lost ?? [])])],
      });
    }
  }

  async #copy(moves: readonly ForkMove[]): Promise<void> {
    const homes = moves.map(({ from, to, length }) => ({
      from: this.#home(from),
      to: this.#home(to),
      slot: to,
      length,
    }));
    // Moves happen at once: what crosses is read before anything is overwritten.
    const crossing = [];
    for (const { from, slot, length } of homes.filter(({ from, to }) => from.copy !== to.copy))
      crossing.push({ slot, length, saved: (await this.#copies[from.copy]!.save!(from.slot)).slice() });
    const within = homes.filter(({ from, to }) => from.copy === to.copy);
    for (const [copy, own] of Map.groupBy(within, ({ to }) => to.copy))
      await this.#told(
        copy,
        this.#copies[copy]!.fork!(own.map(({ from, to, length }) => ({ from: from.slot, to: to.slot, length }))),
      );
    for (const { slot, length, saved } of crossing) {
      const at = this.#at(slot);
      await at.restore(saved);
      await at.trim(length);
    }
  }

  async #restore(slot: number, saved: Uint8Array): Promise<number> {
    const length = await this.#at(slot).restore(saved);
    this.#ledger.replace(slot, length);
    return length;
  }

  /** A slot where it is. */
  #at(slot: number) {
    const home = this.#home(slot);
    const copy = this.#copies[home.copy]!;
    return {
      trim: (length: number) => this.#told(home.copy, copy.trim(home.slot, length)),
      save: () => this.#told(home.copy, copy.save!(home.slot)),
      restore: (saved: Uint8Array) => this.#told(home.copy, copy.restore!(home.slot, saved)),
    };
  }

  #home(slot: number): { readonly copy: number; readonly slot: number } {
    if (!Number.isInteger(slot) || slot < 0 || slot >= this.limits.slots)
      throw new SessionError("slot", `slot ${slot} of ${this.limits.slots}`);
    return { copy: Math.floor(slot / this.#each), slot: slot % this.#each };
  }

  /** What a copy says of its slots is said of this session's. */
  async #told<T>(copy: number, call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (cause) {
      if (!SessionError.isInstance(cause) || !cause.lost) throw cause;
      const lost = cause.lost.map((slot) => copy * this.#each + slot);
      for (const slot of lost) this.#ledger.replace(slot, 0);
      throw new SessionError(cause.code, cause.message, { cause, lost });
    }
  }

  /**
   * The first failure, which names all that is lost. Rows that were done in other copies are taken back, to be done again; what
   * can't go back so far is lost, too.
   */
  async #afterFailure(done: readonly Row[], failed: readonly unknown[]): Promise<unknown> {
    const errors = [...failed];
    const gone: number[] = [];
    this.#ledger.commit(done);
    for (const { slot, at, tokens } of done) {
      const left = tokens.length <= this.limits.rewind ? at : 0;
      this.#ledger.trim(slot, left);
      await this.#at(slot)
        .trim(left)
        .catch((error: unknown) => errors.push(error));
      if (left < at) gone.push(slot);
    }
    const [first] = errors;
    if (!SessionError.isInstance(first)) return first;
    const named = errors.map((error) => (SessionError.isInstance(error) ? error.lost : undefined));
    // Where one copy doesn't know what it holds, nobody does.
    const known = named.every((slots) => slots !== undefined);
    return new SessionError(first.code, first.message, {
      cause: first,
      ...(known ? { lost: [...new Set([...named.flat(), ...gone])] } : {}),
    });
  }
}
