import { parentPort, workerData } from "node:worker_threads";
import type { PanelsEvent } from "@llm/runtime-native/ort";
import { type RowResult, SessionError, TargetError } from "@llm/target";
import { openModel } from "../open.ts";
import { chunkOf } from "../pipeline.ts";
import { CpuSession } from "../session/cpu-session.ts";
import { MeshStopped, stopAll } from "./channel.ts";
import { Exchange } from "./exchange.ts";
import type { Answers, Question, Reply, WorkerSetup } from "./messages.ts";
import { NetsModel } from "./nets-model.ts";
import { netFile } from "./open-mesh.ts";
import { allChannels } from "./replica-memory.ts";

const setup = workerData as WorkerSetup;
const port = parentPort!;
const reply = (message: Reply) => port.postMessage(message);
const { rank, stage, nets } = setup.schedule.places[setup.place]!;
const exchange = new Exchange(setup.memory, rank, stage);
/** One worker answers; the others only have to do their part. */
const speaks = rank === 0 && stage === setup.schedule.pp - 1;

async function open(): Promise<CpuSession> {
  const { folder, threads, schedule, width, vocab, slots, context, owner } = setup;
  const loaded = [];
  const onPanels = (event: PanelsEvent) => reply({ kind: "panels", event });
  for (const id of nets) {
    const options = { ...setup.nets[id], threads, spin: false, onPanels };
    loaded.push({ id, model: await openModel(netFile(folder, id), options) });
  }
  const model = new NetsModel(loaded, schedule, exchange, vocab);
  const names = model.inputs.map(({ name }) => name);
  return new CpuSession(model, width, {
    slots,
    context,
    chunk: chunkOf(names, context),
    owner: `${owner} ${rank} ${stage}`,
  });
}

async function answer(session: CpuSession, question: Question): Promise<Answers[keyof Answers]> {
  switch (question.ask) {
    case "step": {
      const results = await session.step(speaks ? question.rows : question.rows.map((row) => unheard(row)));
      return speaks ? results.map(ownResult) : [];
    }
    case "trim":
      await session.trim(question.slot, question.length);
      return undefined;
    case "fork":
      await session.fork(question.moves);
      return undefined;
    case "save":
      return session.save(question.slot);
    case "restore":
      return session.restore(question.slot, question.saved);
    case "usage":
      return { rank, stage, cacheBytes: session.cacheBytes, receivedBytes: exchange.received };
    case "close":
      await session.close();
      return undefined;
  }
}

/** The same row, with nothing made of its logits. */
function unheard<R extends { readonly want?: { readonly last: number } }>(row: R): R {
  return row.want ? { ...row, want: { kind: "logits", last: row.want.last } } : row;
}

/** Views into what the session keeps would be sent with all that lies around them. */
function ownResult({ logits, hidden, ...rest }: RowResult): RowResult {
  return {
    ...rest,
    ...(logits ? { logits: logits.slice() } : {}),
    ...(hidden ? { hidden: hidden.slice() } : {}),
  };
}

function failed(error: unknown): void {
  const follows = error instanceof MeshStopped || (error as { cause?: unknown }).cause instanceof MeshStopped;
  const known = SessionError.isInstance(error) || TargetError.isInstance(error);
  const message = error instanceof Error ? error.message : String(error);
  const refused = SessionError.isInstance(error) && error.code !== "device";
  if (!refused) stopAll(setup.memory.flag, allChannels(setup.memory));
  reply({
    kind: "error",
    code: SessionError.isInstance(error) ? error.code : "device",
    message: known ? message : message.split("\n")[0]!,
    ...(TargetError.isInstance(error) ? { cause: error.code } : {}),
    follows,
    refused,
  });
}

try {
  const session = await open();
  port.on("message", (question: Question) => {
    answer(session, question).then((value) => {
      reply({ kind: "answer", value });
      if (question.ask === "close") port.close();
    }, failed);
  });
  reply({ kind: "ready", limits: session.limits });
} catch (error) {
  failed(error);
}
