import { parentPort, workerData } from "node:worker_threads";
import { ortTensor } from "@llm/runtime-native/ort";
import { Exchange, type MeshMemory } from "../mesh/exchange.ts";
import type { Talk } from "../mesh/schedule.ts";

export interface ExchangeTask {
  readonly memory: MeshMemory;
  readonly rank: number;
  readonly stage: number;
  readonly talks: readonly { readonly talk: Talk; readonly shape: readonly number[] }[];
  /** How many elements stage 0 hands on to stage 1, after its talks. */
  readonly handed: number;
}

export interface ExchangeReport {
  readonly results: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[];
  readonly received: number;
}

/** What a rank of these tests puts in: a number that says whose it is and where. */
export function term(rank: number, at: number): number {
  return (rank + 1) * 1000 + (at % 977);
}

if (parentPort) {
  const { memory, rank, stage, talks, handed } = workerData as ExchangeTask;
  const exchange = new Exchange(memory, rank, stage);
  const made = (shape: readonly number[]) => {
    const tensor = ortTensor("f32", shape);
    for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = term(rank, i);
    return tensor;
  };
  const results = talks.map(({ talk, shape }) => exchange.talk(talk, made(shape)));
  if (handed > 0 && stage === 0) exchange.send(1, made([handed]));
  if (handed > 0 && stage === 1) results.push(exchange.receive(0));
  const report: ExchangeReport = {
    results: results.map(({ shape, data }) => ({ shape, data: data as Float32Array })),
    received: exchange.received,
  };
  parentPort.postMessage(report);
}
