import type { PanelsEvent } from "@llm/runtime-native/ort";
import {
  type ForkMove,
  type Limits,
  OneAtATime,
  type Row,
  type RowResult,
  type Session,
  SessionError,
  SlotLedger,
} from "@llm/target";
import { digestOf } from "../session/digest.ts";
import type { Answers, Question, ShardUsage } from "./messages.ts";
import { panelsTogether } from "./panels-together.ts";
import { type QuestionFor, Replica, type ReplicaSetup } from "./replica.ts";

/** What a shard of a replica has and was told. */
export interface MeshUsage extends ShardUsage {
  readonly replica: number;
}

/**
 * A model on several workers: each replica has its own slots and all of a model's shards. To what drives it, it is one session
 * with all replicas' slots; rows of several replicas run at the same time. A replica that loses a worker fails what it was
 * asked, forgets its slots, and is opened again when it is asked next.
 */
export class MeshSession implements Session {
  readonly specificationVersion = 1;
  readonly limits: Limits;
  readonly #setup: ReplicaSetup;
  readonly #replicas: Replica[];
  /** What it refuses, it refuses before any replica is asked. */
  readonly #ledger: SlotLedger;
  readonly #calls = new OneAtATime();

  /** `tell` hears what opening takes its time for, all workers together. */
  static async open(setup: ReplicaSetup, count: number, tell?: (event: PanelsEvent) => void): Promise<MeshSession> {
    const together = tell && panelsTogether(tell);
    const opened = await Promise.allSettled(
      Array.from({ length: count }, (_, copy) =>
        Replica.open(setup, (place, event) => together?.(`${copy} ${place}`, event)),
      ),
    );
    const failed = opened.find((result) => result.status === "rejected");
    const replicas = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    if (failed) {
      await Promise.all(replicas.map((replica) => replica.close()));
      throw failed.reason;
    }
    return new MeshSession(setup, replicas);
  }

  private constructor(setup: ReplicaSetup, replicas: Replica[]) {
    const [{ limits }] = replicas as [Replica];
    this.#setup = setup;
    this.#replicas = replicas;
    this.limits = {
      ...limits,
      slots: limits.slots * replicas.length,
      cacheTokens: limits.cacheTokens * replicas.length,
    };
    this.#ledger = new SlotLedger(this.limits);
  }

  /** What each shard has room for and how much it was told by others: measured, to be compared with the plan. */
  async usage(): Promise<readonly MeshUsage[]> {
    return this.#alone(async () => {
      const all = await Promise.all([...this.#replicas.keys()].map((index) => this.#ask(index, { ask: "usage" })));
      return all.flatMap((shards, replica) => shards.map((usage) => ({ ...usage, replica })));
    });
  }

  async step(rows: readonly Row[]): Promise<readonly RowResult[]> {
    return this.#alone(async () => {
      this.#ledger.check(rows);
      const parts = Map.groupBy(rows.keys(), (index) => this.#home(rows[index]!.slot).replica);
      const results: RowResult[] = rows.map(() => ({}));
      const settled = await Promise.allSettled(
        [...parts].map(async ([replica, indexes]) => {
          const own = indexes.map((index) => ({ ...rows[index]!, slot: this.#home(rows[index]!.slot).slot }));
          const answers = await this.#ask(replica, { ask: "step", rows: own });
          this.#replicas[replica]!.spoken(answers).forEach((result, i) => {
            results[indexes[i]!] = result;
          });
        }),
      );
      const failed = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
      if (failed.length > 0) throw this.#afterFailure(rows, failed);
      this.#ledger.commit(rows);
      return results;
    });
  }

  async trim(slot: number, length: number): Promise<void> {
    await this.#alone(async () => {
      if (!this.#ledger.trim(slot, length)) return;
      const home = this.#home(slot);
      await this.#ask(home.replica, { ask: "trim", slot: home.slot, length });
    });
  }

  async fork(moves: readonly ForkMove[]): Promise<void> {
    await this.#alone(async () => {
      this.#ledger.fork(moves);
      try {
        await this.#copy(moves);
      } catch (error) {
        // Some copies may be there and others not: no target holds what it did, or surely what it was to.
        throw withLost(
          error,
          moves.flatMap(({ to }) => (this.#ledger.trim(to, 0) ? [to] : [])),
        );
      }
    });
  }

  async save(slot: number): Promise<Uint8Array> {
    return this.#alone(async () => {
      const home = this.#home(slot);
      return joined(await this.#ask(home.replica, { ask: "save", slot: home.slot }));
    });
  }

  async restore(slot: number, saved: Uint8Array): Promise<number> {
    return this.#alone(async () => {
      const home = this.#home(slot);
      const parts = parted(saved, this.#setup.schedule.places.length);
      const [length] = await this.#ask<"restore">(home.replica, (place) => ({
        ask: "restore",
        slot: home.slot,
        saved: parts[place]!,
      }));
      this.#ledger.replace(slot, length!);
      return length!;
    });
  }

  /** Ends a shard's worker, as a crash would: for trying what happens then. */
  async kill(replica: number, shard: number): Promise<void> {
    await this.#replicas[replica]!.kill(shard);
  }

  async close(): Promise<void> {
    if (!this.#calls.close()) return;
    await Promise.all(this.#replicas.map((replica) => replica.close()));
  }

  async #copy(moves: readonly ForkMove[]): Promise<void> {
    const homes = moves.map(({ from, to, length }) => ({ from: this.#home(from), to: this.#home(to), length }));
    // Everything that crosses is read before anything is overwritten: moves happen at once.
    const crossing = [];
    for (const { from, to, length } of homes)
      if (from.replica !== to.replica)
        crossing.push({ to, length, saved: await this.#ask(from.replica, { ask: "save", slot: from.slot }) });
    const within = homes.filter(({ from, to }) => from.replica === to.replica);
    for (const [replica, own] of Map.groupBy(within, ({ to }) => to.replica)) {
      const local = own.map(({ from, to, length }) => ({ from: from.slot, to: to.slot, length }));
      await this.#ask(replica, { ask: "fork", moves: local });
    }
    for (const { to, length, saved } of crossing) {
      await this.#ask<"restore">(to.replica, (place) => ({ ask: "restore", slot: to.slot, saved: saved[place]! }));
      await this.#ask(to.replica, { ask: "trim", slot: to.slot, length });
    }
  }

  /** Slots lie replica after replica. */
  #home(slot: number): { replica: number; slot: number } {
    const each = this.limits.slots / this.#replicas.length;
    if (!Number.isInteger(slot) || slot < 0 || slot >= this.limits.slots)
      throw new SessionError("slot", `slot ${slot} of ${this.limits.slots}`);
    return { replica: Math.floor(slot / each), slot: slot % each };
  }

  /** Asks a replica; one that lost a worker is opened again first, once it is known what it held. */
  async #ask<K extends Question["ask"]>(index: number, question: QuestionFor<K>): Promise<readonly Answers[K][]> {
    const replica = this.#replicas[index]!;
    if (!replica.broken) return replica.ask(question);
    this.#noticeDeath();
    await replica.close();
    const again = await Replica.open(this.#setup).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new SessionError("device", `a lost shard can't be started anew: ${why}`, { cause: error });
    });
    this.#replicas[index] = again;
    return again.ask(question);
  }

  /** A worker that died between two calls: whoever asks next, and whatever, is told what is gone. */
  #noticeDeath(): void {
    const lost = this.#forgetBroken();
    if (lost.length > 0)
      throw new SessionError("device", `a shard has died; what it held in ${lost.length} slots is lost`, { lost });
  }

  /** The error of a step that failed in some replicas: the slots of those are lost, all others are as before it. */
  #afterFailure(rows: readonly Row[], errors: readonly unknown[]): unknown {
    const broken = new Set([...this.#replicas.keys()].filter((replica) => this.#replicas[replica]!.broken));
    const lost = errors.flatMap((error) => (SessionError.isInstance(error) ? (error.lost ?? []) : []));
    for (const { slot, at } of rows)
      if (broken.has(this.#home(slot).replica)) lost.push(slot);
      else this.#ledger.trim(slot, at); // was done where it is, and will be done again
    return withLost(errors[0], lost);
  }

  /** The slots of replicas that lost a worker hold nothing any more; gives those that held something until now. */
  #forgetBroken(): number[] {
    return [...this.#replicas.keys()].flatMap((index) => (this.#replicas[index]!.broken ? this.#forget(index) : []));
  }

  /** The slots of a replica hold nothing any more; gives those that held something. */
  #forget(replica: number): number[] {
    const each = this.limits.slots / this.#replicas.length;
    const slots = Array.from({ length: each }, (_, i) => replica * each + i);
    return slots.filter((slot) => this.#ledger.trim(slot, 0));
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#calls.run(async () => {
      try {
        this.#noticeDeath();
        return await work();
      } catch (error) {
        throw withLost(error, this.#forgetBroken());
      }
    });
  }
}

/** An error that also names these slots as lost. */
function withLost(error: unknown, slots: readonly number[]): unknown {
  if (!SessionError.isInstance(error) || slots.length === 0) return error;
  const lost = [...new Set([...(error.lost ?? []), ...slots])];
  return new SessionError(error.code, error.message, { cause: error, lost });
}

const DIGEST = 32;
/** Of a part's length before it. */
const LENGTH = 8;

/** Parts with their lengths before them, and a digest of all: what is damaged is refused before any shard takes its part. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + LENGTH + part.length, DIGEST));
  const view = new DataView(whole.buffer);
  let at = DIGEST;
  for (const part of parts) {
    view.setBigUint64(at, BigInt(part.length), true);
    whole.set(part, at + LENGTH);
    at += LENGTH + part.length;
  }
  whole.set(digestOf(whole.subarray(DIGEST)));
  return whole;
}

function parted(whole: Uint8Array, count: number): readonly Uint8Array[] {
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = DIGEST; at + LENGTH <= whole.length; ) {
    const length = Number(view.getBigUint64(at, true));
    parts.push(whole.slice(at + LENGTH, at + LENGTH + length));
    at += LENGTH + length;
  }
  if (parts.length !== count || parts.reduce((size, part) => size + LENGTH + part.length, DIGEST) !== whole.length)
    throw new SessionError("saved-invalid", "these bytes were not saved by a session with this mesh");
  if (!digestOf(whole.subarray(DIGEST)).equals(whole.subarray(0, DIGEST)))
    throw new SessionError("saved-invalid", "this saved slot is damaged; it can't be restored");
  return parts;
}
