import { expect, it } from "vitest";
import type { Case, Side } from "./case.ts";
import { runCase } from "./harness.ts";
import { renderClaims, renderResult } from "./report.ts";

const machine = async () => ({
  cpu: "test",
  cores: 2,
  features: ["avx2"],
  memoryBandwidth: 1e10,
  load: 0.5,
  node: "v26",
});

function sleeper(name: string, order: string[], value: (round: number) => number): Side {
  return {
    name,
    async run(round) {
      order.push(`${name}${round}`);
      return { ms: value(round) };
    },
  };
}

function sample(order: string[]): Case {
  return {
    name: "sample",
    title: "A sample",
    metrics: [{ key: "ms", unit: "ms", better: "lower", bar: 0.6 }],
    rounds: 3,
    baseline: "peer",
    sides: async () => [
      sleeper("ours", order, (round) => (round + 1) * 10),
      sleeper("peer", order, (round) => (round + 1) * 20),
    ],
  };
}

it("interleaves the sides, swaps their order, and pairs the rounds", async () => {
  const order: string[] = [];
  const result = await runCase(sample(order), { machine });
  expect(order).toEqual(["ours0", "peer0", "peer1", "ours1", "ours2", "peer2"]);
  expect(result.metrics[0].values.ours.median).toBe(20);
  expect(result.metrics[0].ratios.ours.median).toBe(0.5);
  expect(result.metrics[0].reached).toBe(true);
});

it("takes several turns in a round, and their medians", async () => {
  const turns: string[] = [];
  const side = (name: string, factor: number): Side => ({
    name,
    async run(round, turn) {
      turns.push(`${name} ${round} ${turn}`);
      return { ms: factor * [1, 90, 3, 4, 5, 6][turn] };
    },
  });
  const turning = { ...sample([]), rounds: 2, turns: 3, sides: async () => [side("ours", 1), side("peer", 2)] };
  const { metrics } = await runCase(turning, { machine });
  expect(turns.slice(0, 4)).toEqual(["ours 0 0", "peer 0 0", "peer 0 1", "ours 0 1"]);
  expect(turns.slice(6, 8)).toEqual(["peer 1 3", "ours 1 3"]);
  expect([metrics[0].values.ours.low, metrics[0].values.ours.high]).toEqual([3.5, 4.5]); // quartiles of 3 and 5
  expect(metrics[0].ratios.ours.median).toBe(0.5);
});

it("closes every side when one fails", async () => {
  const closed: string[] = [];
  const side = (name: string, fails: boolean): Side => ({
    name,
    async run() {
      if (fails) throw new Error("peer broke");
      return { ms: 1 };
    },
    async close() {
      closed.push(name);
    },
  });
  const broken = { ...sample([]), sides: async () => [side("ours", false), side("peer", true)] };
  await expect(runCase(broken, { machine })).rejects.toThrow("peer broke");
  expect(closed).toEqual(["ours", "peer"]);
});

it("prints medians, ratios with their spread, the bar, the machine and its load", async () => {
  const text = renderResult(await runCase(sample([]), { machine }));
  expect(text).toMatch(/ours +20 ms \[15 … 25\] +0\.50 × \[0\.50 … 0\.50\] +bar ≤ 0\.60 × reached/);
  expect(text).toContain("avx2");
  expect(text).toMatch(/load 0\.50 before, 0\.50 after/);
});

it("holds the worse end of the confidence interval against the bar, where a case says so", async () => {
  const wobbling = (wobble: number): Case => ({
    ...sample([]),
    metrics: [{ key: "ms", unit: "ms", better: "higher", bar: 0.97, confident: true }],
    sides: async () => [sleeper("ours", [], (round) => 10 + wobble * (round - 1)), sleeper("peer", [], () => 10)],
  });
  const [steady, shaky] = [await runCase(wobbling(0.05), { machine }), await runCase(wobbling(3), { machine })];
  expect(steady.metrics[0]).toMatchObject({ reached: true, bound: expect.closeTo(0.9876, 3) }); // 1 − 4.303 · 0.005 / √3
  expect(shaky.metrics[0].reached).toBe(false);
  expect(shaky.metrics[0].ratios.ours.median).toBe(1);
  expect(renderResult(steady)).toContain("mean ≥ 0.99 × at 95 %, bar ≥ 0.97 × reached");
});

it("puts what was claimed of several cases into one table, and leaves out what only informs", async () => {
  const result = await runCase(sample([]), { machine });
  const silent = { ...result, metrics: result.metrics.map(({ reached: _, ...metric }) => metric) };
  const [head, row, ...more] = renderClaims([silent, result]).split("\n");
  expect(head).toMatch(/^case +of +what +measured +claimed$/);
  expect(row).toMatch(/^sample +ours +ms +20 ms, 0\.50 × \[0\.50 … 0\.50\] peer +bar ≤ 0\.60 × +reached$/);
  expect(more).toEqual([]);
  expect(renderClaims([silent])).toBe("");
});
