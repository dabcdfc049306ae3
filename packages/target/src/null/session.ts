import { SessionError } from "../error.ts";
import { OneAtATime } from "../one-at-a-time.ts";
import type { ForkMove, Limits, Row, RowResult, Session } from "../session.ts";
import { SlotLedger } from "../slot-ledger.ts";
import { answer } from "./answer.ts";
import type { CacheForm } from "./forms/cache-form.ts";
import { DEVICES, type NullDevice, type NullSizes } from "./limits.ts";

/** How a null session is opened without an artefact. */
export interface NullSessionOptions extends Partial<NullSizes> {
  readonly like?: NullDevice;
  /** Instead of the device's own; its form of cache stays. */
  readonly limits?: Partial<Limits>;
}

/** A session with a device's limits and its form of cache, and no model: what it says is a hash of each row's history. */
export function openNull({ like = "cpu", limits: changed, ...given }: NullSessionOptions = {}): Session {
  const sizes: NullSizes = { slots: 4, context: 256, prompt: 32, vocab: 256, width: 8, ...given };
  const limits: Limits = { ...DEVICES[like].limits(sizes), ...changed };
  return new NullSession(limits, DEVICES[like].form(limits, sizes));
}

const MAGIC = 0x4c4c554e; // "NULL", little endian

class NullSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly fork?: (moves: readonly ForkMove[]) => Promise<void>;
  readonly save?: (slot: number) => Promise<Uint8Array>;
  readonly restore?: (slot: number, saved: Uint8Array) => Promise<number>;
  readonly #form: CacheForm;
  readonly #ledger: SlotLedger;
  readonly #calls = new OneAtATime();

  constructor(limits: Limits, form: CacheForm) {
    this.limits = limits;
    this.#form = form;
    this.#ledger = new SlotLedger(limits);
    if (form.fork && limits.fork !== "none") this.fork = (moves) => this.#call(() => this.#fork(moves));
    if (form.save) this.save = (slot) => this.#call(() => this.#save(slot));
    if (form.restore) this.restore = (slot, saved) => this.#call(() => this.#restore(slot, saved));
  }

  step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#call(() => {
      this.#ledger.check(rows);
      const states = this.#form.run(rows);
      this.#ledger.commit(rows);
      return rows.map(({ want }, i) => (want ? answer(states[i]!, want, this.limits) : {}));
    });
  }

  trim(slot: number, length: number): Promise<void> {
    return this.#call(() => {
      if (this.#ledger.trim(slot, length)) this.#form.trim(slot, length);
    });
  }

  async close(): Promise<void> {
    if (this.#calls.close()) this.#form.close();
  }

  #fork(moves: readonly ForkMove[]): void {
    this.#ledger.fork(moves);
    this.#form.fork!(moves);
  }

  #save(slot: number): Uint8Array {
    const length = this.#ledger.length(slot);
    const words = this.#form.save!(slot, length);
    return new Uint8Array(Int32Array.of(MAGIC, this.limits.vocab, length, ...words).buffer);
  }

  #restore(slot: number, saved: Uint8Array): number {
    const words = saved.length % 4 === 0 ? new Int32Array(saved.slice().buffer) : new Int32Array(0);
    const length = words[2] ?? -1;
    if (words[0] !== MAGIC || words[1] !== this.limits.vocab || words.length !== 3 + 2 * length)
      throw new SessionError("saved-invalid", "these bytes were saved by another session, or are damaged");
    this.#ledger.replace(slot, length);
    this.#form.restore!(slot, words.subarray(3));
    return length;
  }

  #call<T>(work: () => T): Promise<T> {
    return this.#calls.run(async () => {
      await null; // a device takes time, too: callers that don't wait are found out
      return work();
    });
  }
}
