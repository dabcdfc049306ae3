import { Worker } from "node:worker_threads";
import type { PanelsEvent } from "@llm/runtime-native/ort";
import { type Limits, SessionError, TargetError } from "@llm/target";
import { stopAll } from "./channel.ts";
import type { Answers, Question, Reply, WorkerSetup } from "./messages.ts";
import { allChannels, meshMemory } from "./replica-memory.ts";

const WORKER = new URL(`./worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
/** How long a worker may take to end of itself after it was asked to, or to refuse what another has refused. */
const PATIENCE_MS = 5000;

export type ReplicaSetup = Omit<WorkerSetup, "memory" | "place">;

/** One question for all workers, or one for each place. */
export type QuestionFor<K extends Question["ask"]> =
  | Extract<Question, { ask: K }>
  | ((place: number) => Extract<Question, { ask: K }>);

interface Shard {
  readonly worker: Worker;
  /** What waits for its next reply. */
  settle: ((reply: Reply) => void) | undefined;
  exited: boolean;
}

/** One copy of the model: a worker for every rank and stage, all asked the same. */
export class Replica {
  readonly limits: Limits;
  readonly #shards: readonly Shard[];
  readonly #memory: WorkerSetup["memory"];
  readonly #setup: ReplicaSetup;
  #broken = false;

  /** `tell` hears what opening takes its time for, of each worker by its place. */
  static async open(setup: ReplicaSetup, tell?: (place: number, event: PanelsEvent) => void): Promise<Replica> {
    const { mp, pp, places } = setup.schedule;
    const memory = meshMemory(mp, pp);
    const shards = places.map((_, place) => start({ ...setup, memory, place }, (event) => tell?.(place, event)));
    const replies = await Promise.all(shards.map(next));
    const failed =
      replies.find((reply) => reply.kind === "error" && !reply.follows) ?? replies.find(({ kind }) => kind === "error");
    if (failed?.kind === "error") {
      await Promise.all(shards.map(({ worker }) => worker.terminate()));
      throw new TargetError(failed.cause ?? "artefact-damaged", failed.message);
    }
    const speaker = replies[places.findIndex(({ rank, stage }) => rank === 0 && stage === pp - 1)];
    return new Replica(setup, memory, shards, (speaker as Extract<Reply, { kind: "ready" }>).limits);
  }

  private constructor(setup: ReplicaSetup, memory: WorkerSetup["memory"], shards: readonly Shard[], limits: Limits) {
    this.#setup = setup;
    this.#memory = memory;
    this.#shards = shards;
    this.limits = limits;
  }

  /** Something failed in it that is no refusal: its slots hold nothing that can be trusted, and it has to be opened again. */
  get broken(): boolean {
    return this.#broken || this.#shards.some(({ exited }) => exited);
  }

  /** Asks every worker and gives all answers, by place. */
  async ask<K extends Question["ask"]>(question: QuestionFor<K>): Promise<readonly Answers[K][]> {
    const replies = this.#shards.map((shard, place) => {
      const reply = next(shard);
      if (!shard.exited) shard.worker.postMessage(typeof question === "function" ? question(place) : question);
      return reply;
    });
    const stop = () => stopAll(this.#memory.flag, allChannels(this.#memory));
    let patience: NodeJS.Timeout | undefined;
    for (const reply of replies)
      reply.then((message) => {
        if (message.kind !== "error") return;
        // The others may be waiting for what never comes; of a refusal they have none to wait for, unless they disagree.
        if (message.refused) patience ??= setTimeout(stop, PATIENCE_MS);
        else stop();
      });
    const answers = await Promise.all(replies);
    clearTimeout(patience);
    const errors = answers.flatMap((reply) => (reply.kind === "error" ? [reply] : []));
    const [error] = [...errors.filter(({ follows }) => !follows), ...errors];
    if (error) {
      // What some did and others refused is no state that anybody asked for.
      if (errors.length < answers.length || errors.some(({ refused }) => !refused)) this.#broken = true;
      throw new SessionError(error.code, error.message);
    }
    return answers.map((reply) => (reply as Extract<Reply, { kind: "answer" }>).value as Answers[K]);
  }

  /** The answer of the worker that has the model's last word. */
  spoken<T>(answers: readonly T[]): T {
    const { places, pp } = this.#setup.schedule;
    return answers[places.findIndex(({ rank, stage }) => rank === 0 && stage === pp - 1)]!;
  }

  /** Ends one worker, as a crash would. */
  async kill(place: number): Promise<void> {
    await this.#shards[place]!.worker.terminate();
  }

  async close(): Promise<void> {
    if (!this.broken) {
      const closing = this.ask({ ask: "close" }).catch(() => []);
      await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
    }
    stopAll(this.#memory.flag, allChannels(this.#memory));
    await Promise.all(this.#shards.map(({ worker }) => worker.terminate()));
  }
}

function start(setup: WorkerSetup, tell: (event: PanelsEvent) => void): Shard {
  const { rank, stage } = setup.schedule.places[setup.place]!;
  const worker = new Worker(WORKER, { workerData: setup, name: `shard ${rank}.${stage}` });
  const shard: Shard = { worker, settle: undefined, exited: false };
  const settle = (reply: Reply) => {
    const waiting = shard.settle;
    shard.settle = undefined;
    waiting?.(reply);
  };
  const gone = (why: string) => {
    shard.exited = true;
    settle({ kind: "error", code: "device", message: lost(setup, why), follows: false, refused: false });
  };
  worker.on("message", (reply: Reply) => (reply.kind === "panels" ? tell(reply.event) : settle(reply)));
  worker.on("error", (error: Error) => gone(`failed: ${error.message.split("\n")[0]}`));
  worker.on("exit", () => gone("has died"));
  worker.unref();
  return shard;
}

function lost({ schedule, place }: WorkerSetup, why: string): string {
  const { rank, stage } = schedule.places[place]!;
  const which = `shard ${rank + 1} of ${schedule.mp}${schedule.pp > 1 ? `, stage ${stage + 1} of ${schedule.pp}` : ""}`;
  return `${which} ${why}; what it held is lost, and the next request starts it anew`;
}

function next(shard: Shard): Promise<Reply> {
  return new Promise((resolve) => {
    if (shard.exited) {
      resolve({ kind: "error", code: "device", message: "a shard is gone", follows: false, refused: false });
      return;
    }
    shard.settle = resolve;
    shard.worker.ref();
  }).then((reply) => {
    shard.worker.unref();
    return reply as Reply;
  });
}
