import type { Graph } from "@llm/core-ir";
import { expect, test } from "vitest";
import { type Aic100Options, defaultOptions } from "../options.ts";
import { assume, assumptionsFor } from "./assumptions.ts";
import { CARD_FACTS } from "./cards.ts";
import { describeAic100 } from "./describe.ts";
import { modelNeeds } from "./model-needs.ts";
import { type PlanRequest, planAic100 } from "./plan-aic100.ts";
import { planRequest } from "./plan-options.ts";
import { FOUND_BY_TRIAL, llama2, ONE_CARD, starcoder } from "./testing/published.ts";

const plan = (graph: Graph, given: Partial<PlanRequest> = {}) => planAic100(graph, { ...ONE_CARD, ...given });
const big = starcoder();

test.each(FOUND_BY_TRIAL)(
  "StarCoder on one card: context %i, %i sequences fit, as was found by trial",
  (ctxLen, batchSize) => {
    expect(plan(big, { ctxLen, batchSize }).fits).toBe(true);
  },
);

test.each(FOUND_BY_TRIAL.slice(0, 2))("at context %i, no more than 15 %% above %i fit", (ctxLen, batchSize) => {
  const { maxBatchSize } = plan(big, { ctxLen });
  expect(maxBatchSize).toBeGreaterThanOrEqual(batchSize);
  expect(maxBatchSize).toBeLessThanOrEqual(batchSize * 1.15);
});

test("what StarCoder is made of, counted by hand", () => {
  const needs = modelNeeds(big);
  const block = 6144 * (6144 + 256) + 6144 * 6144 + 2 * 6144 * 24576;
  expect(needs.matrices).toBe(40 * block + 49152 * 6144);
  const small = 40 * (4 * 6144 + 6400 + 6144 + 24576 + 6144) + 2 * 6144;
  expect(needs.others).toBe(49152 * 6144 + 8192 * 6144 + small);
  expect(needs.macs).toBe(needs.matrices);
  expect(needs.caches).toHaveLength(40);
  expect(plan(big).devices[0]).toMatchObject({
    total: 16 * 2 ** 30,
    weights: (needs.matrices * 6.25) / 8 + needs.others * 2,
    kv: 1024 * 20_480, // the published 20 480 bytes a token
    reserve: 2e9,
  });
});

test("the parts make the total, and the most that fits is the most", () => {
  for (const ctxLen of [512, 4096, 8192]) {
    const { maxBatchSize } = plan(big, { ctxLen });
    expect(plan(big, { ctxLen, batchSize: maxBatchSize }).fits).toBe(true);
    const over = plan(big, { ctxLen, batchSize: maxBatchSize + 1 });
    expect(over.fits).toBe(false);
    const { total, weights, kv, activations, reserve, free } = over.devices[0]!;
    expect(free).toBe(total - weights - kv - activations - reserve);
    expect(over.why).toContain("short, the weights are the larger part");
  }
});

test("formats, sharing and assumptions each change what they say they change", () => {
  const one = plan(big, { card: "pro" }).devices[0]!;
  const { matrices, others } = modelNeeds(big);
  expect(plan(big, { card: "pro", mxfp6: false }).devices[0]!.weights).toBe(2 * (matrices + others));
  expect(plan(big, { mxfp6: false }).maxBatchSize).toBe(0);
  expect(plan(big, { card: "pro", mxint8: true }).devices[0]!.kv / one.kv).toBeCloseTo(8.25 / 16, 6);

  const shared = plan(big, { card: "ultra" });
  expect(shared.devices).toHaveLength(4);
  expect(shared.devices[0]!.weights - 2 * others).toBe(Math.ceil((one.weights - 2 * others) / 4));
  expect(shared.devices[0]!.kv).toBe(one.kv); // one head of keys and values: every device needs it
  const heads = plan(llama2(), { card: "ultra" }).devices[0]!.kv;
  expect(heads).toBe(plan(llama2(), { card: "pro" }).devices[0]!.kv / 4);

  const said = plan(big, { assume: "reserve=1e9, mxfp6Bits=8" });
  expect(said.devices[0]!.reserve).toBe(1e9);
  expect(said.assumptions!.find(({ name }) => name === "mxfp6Bits")).toMatchObject({ value: 8, unit: "bits" });
  expect(plan(big, { card: "dl2q", devices: 8 }).devices).toHaveLength(8);
  const larger = plan(big, { assume: "memory=24, bandwidth=274e9" });
  expect(larger.devices[0]!.total).toBe(24 * 2 ** 30);
  expect(larger.speed!.decode.most).toBeCloseTo(2 * plan(big).speed!.decode.most, 6);
  const spilt = plan(big, { promptLen: 1024, assume: "onChipShare=0" }).devices[0]!;
  expect(spilt.activations).toBe(1024 * 2 * 24576 * 2 + 4 * 49152);
  expect(() => plan(big, { card: "ultra", devices: 5 })).toThrow("5 devices: Ultra has 4");
});

test("long prompts spill from the chip, single tokens only return their logits", () => {
  const short = plan(big, { batchSize: 4 }).devices[0]!;
  expect(short.activations).toBe(4 * 49152 * 4);
  const long = plan(big, { batchSize: 4, promptLen: 1024 }).devices[0]!;
  expect(long.activations).toBeGreaterThan(4 * 1024 * 2 * 24576 * 2 - 126e6);
  const apart = plan(big, { fullBatchSize: 4, promptLen: 1024 }).devices[0]!;
  expect(apart.activations).toBeLessThan(long.activations);
});

test("a sliding window keeps no more than itself and a call", () => {
  const graph = { ...llama2() };
  const windowed: Graph = {
    ...graph,
    ops: graph.ops.map((op) => (op.kind === "attention" ? { ...op, attrs: { ...op.attrs, window: 511 } } : op)),
  };
  expect(plan(windowed, { ctxLen: 4096 }).devices[0]!.kv).toBe(plan(graph, { ctxLen: 512 }).devices[0]!.kv);
});

test("graphs that write at an index keep a window's layers whole", () => {
  const windowed = llama2();
  const graph: Graph = {
    ...windowed,
    ops: windowed.ops.map((op) => (op.kind === "attention" ? { ...op, attrs: { ...op.attrs, window: 511 } } : op)),
  };
  const kv = (generation: "index" | "positions") => plan(graph, { ctxLen: 4096, generation }).devices[0]!.kv;
  expect(kv("index")).toBe(plan(windowed, { ctxLen: 4096 }).devices[0]!.kv);
  expect(kv("positions")).toBeLessThan(kv("index") / 7);
});

test("heads are kept as often as the graph keeps them", () => {
  const kv = (graph: Graph, replicateKvHeads: number) => plan(graph, { replicateKvHeads }).devices[0]!.kv;
  expect(kv(big, 4)).toBe(4 * kv(big, 1)); // 48 heads over one
  expect(kv(big, 5)).toBe(kv(big, 4)); // which five don't divide
  expect(kv(llama2(), 4)).toBe(kv(llama2(), 1)); // each head has its own already
});

test("what is said of devices and cores is planned for, as it is compiled for", () => {
  const said = (given: Partial<Aic100Options>) => planAic100(llama2(), planRequest({ ...defaultOptions(), ...given }));
  expect(said({ card: "ultra" }).devices).toHaveLength(4);
  for (const one of [{ socs: 1 }, { mesh: "1x1" }, { deviceGroup: [2] }])
    expect(said({ card: "ultra", ...one }).devices).toHaveLength(1);
  const long = { card: "pro", promptLen: 1024, ctxLen: 2048 } as const;
  const rate = (numCores?: number) => said({ ...long, ...(numCores ? { numCores } : {}) }).speed!.prefill.most;
  expect(rate(16)).toBe(rate());
  expect(rate(8)).toBeLessThan(0.6 * rate());
  const spilt = (assume: string) => said({ ...long, batchSize: 16, numCores: 8, assume }).devices[0]!.activations;
  expect(spilt("onChipShare=0") - spilt("")).toBe(144e6 / 2);
  expect(() => said({ socs: 4, deviceGroup: [0, 1] })).toThrow("--socs 4 and --device-group 0,1 disagree");
  expect(() => said({ deviceGroup: [1, 1] })).toThrow("--device-group 1,1: one is named twice");
});

test("copies have devices of their own, and make as many tokens more", () => {
  const one = plan(big);
  const three = plan(big, { copies: 3 });
  expect(three.devices).toHaveLength(3);
  expect(three.devices[2]).toMatchObject({ free: one.devices[0]!.free });
  expect(three.speed!.decode.most).toBeCloseTo(3 * one.speed!.decode.most, 6);
  expect(() => plan(big, { card: "dl2q", copies: 9 })).toThrow("9 devices: DL2q has 8");
});

test("a count that is said is a mesh's, too", () => {
  const described = (given: Partial<Aic100Options>) => describeAic100({ ...defaultOptions(), ...given });
  const meshes = (given: Partial<Aic100Options>) =>
    [1, 2, 4].filter((mp) => described(given).runs!({ dp: 1, mp, pp: 1 }));
  expect(meshes({})).toEqual([1, 2, 4]);
  expect(meshes({ socs: 2 })).toEqual([2]);
  expect(described({ deviceGroup: [0, 1, 2, 3] }).device.most).toBe(4);
});

test("speed: memory decides single sequences, arithmetic long prompts; what was published lies below the most", () => {
  // Ultra, one sequence, MXFP6, 2048 of context: 43.78 tok/s were published.
  const { speed } = plan(llama2(), { card: "ultra", ctxLen: 2048, promptLen: 1024 });
  expect(speed!.decode.by).toBe("memory");
  expect(speed!.decode.most).toBeGreaterThan(43.78);
  expect(speed!.decode.most).toBeLessThan(548e9 / (6.6e9 * (6.25 / 8)));
  expect(speed!.decode.usual).toBeCloseTo(speed!.decode.most * 0.42, 6);
  expect(speed!.prefill.by).toBe("compute");
  expect(speed!.prefill.most).toBeLessThan(290e12 / (2 * 6.6e9));
  const many = plan(llama2(), { card: "ultra", ctxLen: 2048, batchSize: 8 }).speed!;
  expect(many.decode.most).toBeGreaterThan(speed!.decode.most);
  expect(many.decode.most).toBeLessThan(8 * speed!.decode.most);
});

test("planning a mesh goes by the same figures", () => {
  const { device, work } = describeAic100({ ...defaultOptions(), card: "ultra", format: "mx6", assume: "reserve=1e9" });
  expect(device).toMatchObject({ memory: 32 * 2 ** 30, reserve: 1e9, bandwidth: 137e9 * 0.42, most: 4 });
  expect(work).toMatchObject({ weightBits: 6.25, cacheBits: 16, chunk: 32, context: 128, batch: 1 });
  expect(describeAic100({ ...defaultOptions(), fullBatchSize: 16 }).work).toMatchObject({ batch: 16 });
});

test("assumptions: each names its source, and nothing else can be said", () => {
  const { pro } = CARD_FACTS;
  for (const { why, unit } of Object.values(assumptionsFor(pro))) expect(why.length + unit.length).toBeGreaterThan(20);
  expect(assume(pro, "reserve=0,onChip=0")).toMatchObject({ reserve: 0, onChip: 0 });
  expect(assume(pro, " reserve = 3e9 ")).toMatchObject({ reserve: 3e9, memory: 32 });
  for (const [text, message] of [
    ["spare=1", "there is memory, bandwidth, onChip, fp16, gigabyte, reserve"],
    ["reserve", "write reserve=NUMBER"],
    ["reserve=-1", "write reserve=NUMBER"],
    ["reserve=x", "write reserve=NUMBER"],
    ["bandwidth=0", "bandwidth=0: it is above 0"],
  ])
    expect(() => assume(pro, text)).toThrow(message);
});
