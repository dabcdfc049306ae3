import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { type ExchangeReport, type ExchangeTask, term } from "../testing/exchange-worker.ts";
import { Channel, channelMemory, MeshStopped, PIECE_BYTES, stopAll } from "./channel.ts";
import { allChannels, meshMemory } from "./replica-memory.ts";
import type { Talk } from "./schedule.ts";

const SCRIPT = new URL("../testing/exchange-worker.ts", import.meta.url);
/** More than one piece, and the last one not full. */
const MANY = (5 * PIECE_BYTES) / 4 + 12;

async function runAll(
  tasks: readonly Omit<ExchangeTask, "memory">[],
  mp: number,
  pp: number,
): Promise<ExchangeReport[]> {
  const memory = meshMemory(mp, pp);
  return Promise.all(
    tasks.map(
      (task) =>
        new Promise<ExchangeReport>((resolve, reject) => {
          const worker = new Worker(SCRIPT, { workerData: { memory, ...task } });
          worker.once("message", resolve);
          worker.once("error", reject);
        }),
    ),
  );
}

describe("ranks", () => {
  const base = { stage: 0, terms: [], results: [] };
  const sum: Talk = { ...base, combine: "sum" };
  const part: Talk = {
    ...base,
    combine: "sum",
    axis: -1,
    spans: [
      [0, 1],
      [1, 3],
      [3, 7],
    ],
  };
  const concat: Talk = { ...base, combine: "concat", axis: -1, sizes: [2, 3, 1] };

  test("hear sums, parts of sums and one another's parts, however long they are", async () => {
    const rows = Math.ceil(MANY / 3);
    const reports = await runAll(
      [0, 1, 2].map((rank) => ({
        rank,
        stage: 0,
        handed: 0,
        talks: [
          { talk: sum, shape: [MANY] },
          { talk: part, shape: [2, 7] },
          { talk: concat, shape: [rows, concat.sizes![rank]!] },
        ],
      })),
      3,
      1,
    );
    const total = (at: number) => [0, 1, 2].reduce((all, rank) => all + term(rank, at), 0);
    reports.forEach(({ results: [whole, own, all], received }, rank) => {
      expect(whole!.data.every((x, at) => x === total(at))).toBe(true);
      const [start, end] = part.spans![rank]!;
      expect([...own!.data]).toEqual(
        [0, 7].flatMap((row) => Array.from({ length: end - start }, (_, i) => total(row + start + i))),
      );
      expect(all!.shape).toEqual([rows, 6]);
      const expected = (row: number, column: number) => {
        const from = column < 2 ? 0 : column < 5 ? 1 : 2;
        const [width, before] = [[2, 3, 1][from]!, [0, 2, 5][from]!];
        return term(from, row * width + column - before);
      };
      expect(all!.data.every((x, at) => x === expected(Math.floor(at / 6), at % 6))).toBe(true);
      expect(received).toBe(4 * (2 * MANY + 2 * 14 + rows * (6 - concat.sizes![rank]!)));
    });
  });
});

test("a stage hands on what the next takes, however long it is", async () => {
  const handed = 6 * MANY; // longer than all that a channel holds
  const reports = await runAll(
    [0, 1].map((stage) => ({ rank: 0, stage, handed, talks: [] })),
    1,
    2,
  );
  const [value] = reports[1]!.results;
  expect(value!.shape).toEqual([handed]);
  expect(value!.data.every((x, at) => x === term(0, at))).toBe(true);
  expect(reports.map(({ received }) => received)).toEqual([0, 4 * handed]);
});

test("who waits for one that stopped is told", () => {
  const memory = meshMemory(2, 1);
  stopAll(memory.flag, allChannels(memory));
  const channel = new Channel(memory.talk[0]![1]!, memory.flag);
  expect(() => channel.take(0, 4, () => {})).toThrow(MeshStopped);
  const full = channelMemory(1);
  const writer = new Channel(full, memory.flag);
  for (let i = 0; i < 4; i++) writer.put(new Uint8Array(8));
  expect(() => writer.put(new Uint8Array(8))).toThrow(MeshStopped);
});
