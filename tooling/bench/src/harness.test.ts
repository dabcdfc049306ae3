import { expect, it } from "vitest";
import type { Case, Side } from "./case.ts";
import { runCase } from "./harness.ts";
import { renderResult } from "./report.ts";

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
