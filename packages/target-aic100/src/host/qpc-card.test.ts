import { ortTensor } from "@llm/runtime-native/ort";
import type { QaicBuffer, QaicHost, QaicMapping } from "@llm/runtime-native/qaic";
import { expect, test } from "vitest";
import { type AllowedShape, type Network, readNetwork } from "../inspect/network.ts";
import { tinyNetwork } from "../inspect/testing/tiny-qpc.ts";
import { callShapes } from "./call-shapes.ts";
import { QpcCard } from "./qpc-card.ts";

const NETWORK = readNetwork(tinyNetwork(2));

/** Remembers what it was called with, and returns logits of its own. */
class Recorder implements QaicHost {
  readonly mappings: readonly QaicMapping[];
  readonly calls: (readonly QaicBuffer[])[] = [];

  constructor(names: readonly string[]) {
    this.mappings = names.map((name) => ({
      name,
      isInput: !name.endsWith("_RetainedState") && !["logits", "next_tokens"].includes(name),
      bytes: 1 << 20,
      dtype: 0,
      isPartialAllowed: name.startsWith("past_"),
    }));
  }

  async call(buffers: readonly QaicBuffer[]): Promise<readonly Uint8Array[]> {
    this.calls.push(buffers);
    return [new Uint8Array(new Float32Array(2 * 300).fill(this.calls.length).buffer)];
  }

  async close(): Promise<void> {}
}

const NAMES = ["input_ids", "position_ids", "past_key.0", "logits", "past_key.0_RetainedState"];
const ids = (rows: number, tokens: number) => ortTensor("i64", [rows, tokens]);

test("the compiled shape follows from the inputs; caches stay on the device, logits come back", async () => {
  const host = new Recorder(NAMES);
  const card = new QpcCard(host, NETWORK);
  expect(card.vocab).toBe(300);
  expect(card.inputs).toEqual(["input_ids", "position_ids"]);
  for (const tokens of [8, 1]) {
    const logits = await card.call({ input_ids: ids(2, tokens), position_ids: ids(2, tokens) });
    expect(logits).toHaveLength(600);
    expect(logits[0]).toBe(host.calls.length);
    const [given, , cache, wanted, kept] = host.calls.at(-1)!;
    expect(given).toMatchObject({ dims: [2, tokens], elementBytes: 8 });
    expect(wanted).toEqual({ dims: [2, 1, 300], elementBytes: 4, data: "wanted" });
    expect([cache, kept]).toEqual(["kept", "kept"]);
  }
});

test("buffers are in the runtime's order, whatever the description's", async () => {
  const host = new Recorder(NAMES.toReversed());
  await new QpcCard(host, NETWORK).call({ input_ids: ids(2, 1), position_ids: ids(2, 1) });
  expect(host.calls[0]![1]).toMatchObject({ data: "wanted" });
  expect(host.calls[0]![4]).toMatchObject({ dims: [2, 1] });
});

test("sizes that were not compiled, and inputs that are missing, are one line", async () => {
  const card = new QpcCard(new Recorder(NAMES), NETWORK);
  await expect(card.call({ input_ids: ids(2, 3), position_ids: ids(2, 3) })).rejects.toThrow(
    "input_ids [2, 3]: the QPC was compiled for [2, 8] or [2, 1]",
  );
  await expect(card.call({ input_ids: ids(2, 1), position_ids: ids(2, 8) })).rejects.toThrow("was compiled for");
  await expect(card.call({ input_ids: ids(2, 1) })).rejects.toThrow("position_ids is missing");
  const halves = ortTensor("i32", [2, 1]);
  await expect(card.call({ input_ids: halves, position_ids: ids(2, 1) })).rejects.toThrow(
    "input_ids has 8 bytes, the QPC takes 16 (int64)",
  );
  expect(() => new QpcCard(new Recorder(["other"]), NETWORK)).toThrow("the file is of another compile");
});

test("a mask is given once, then kept by the device", async () => {
  const mask = { name: "attention_mask", dtype: "int8", dims: [2, 32], isPartialAllowed: true };
  const shapes = NETWORK.shapes.map((shape) => ({ ...shape, attention_mask: mask }));
  const network = { ...NETWORK, inputs: [...NETWORK.inputs, mask], shapes };
  const host = new Recorder([...NAMES, "attention_mask"]);
  const card = new QpcCard(host, network);
  expect(card.inputs).not.toContain("attention_mask");
  card.give("attention_mask", new Uint8Array(64).fill(1));
  for (let i = 0; i < 2; i++) await card.call({ input_ids: ids(2, 1), position_ids: ids(2, 1) });
  expect(host.calls[0]![5]).toMatchObject({ dims: [2, 32], elementBytes: 1 });
  expect(host.calls[1]![5]).toBe("kept");
  card.give("attention_mask", new Uint8Array(8 * 64)); // as a graph with 64-bit flags would have it
  await expect(card.call({ input_ids: ids(2, 1), position_ids: ids(2, 1) })).rejects.toThrow(
    "attention_mask has 512 bytes, the QPC takes 64",
  );
});

/** The network with a sampler's ports; `lacking` are left out. */
function samplingNetwork(lacking: readonly string[] = []): Network {
  const flags = { dtype: "int8", dims: [2, 300] };
  const [one, tokens] = [
    { dtype: "float32", dims: [2, 1] },
    { dtype: "int64", dims: [2, 1, 1] },
  ];
  const ports: Readonly<Record<string, AllowedShape>> = {
    last_accepted_output_tokens: { dtype: "int64", dims: [2, 8] },
    past_repetition_penalty_buffer: flags,
    past_presence_penalty_buffer: flags,
    ...Object.fromEntries(
      ["repetition_penalties", "presence_penalties", "temperatures", "top_ps", "min_ps"].map((name) => [name, one]),
    ),
    top_ks: { dtype: "int32", dims: [2, 1] },
    random_numbers: { dtype: "float32", dims: [2, 32] },
  };
  const inputs = Object.entries(ports).filter(([name]) => !lacking.includes(name));
  const binding = ([name, port]: readonly [string, AllowedShape]) => ({ name, ...port, isPartialAllowed: false });
  return {
    ...NETWORK,
    inputs: [...NETWORK.inputs, ...inputs.map(binding)],
    outputs: [binding(["next_tokens", tokens]), ...NETWORK.outputs.filter(({ name }) => name !== "logits")],
    shapes: NETWORK.shapes.map((shape) => ({ ...shape, ...ports, next_tokens: tokens })),
  };
}

test("one that chooses tokens gives them, and what it keeps of them can be given for a call", async () => {
  const names = ["input_ids", "position_ids", "past_repetition_penalty_buffer", "next_tokens"];
  class Chooser extends Recorder {
    override async call(buffers: readonly QaicBuffer[]): Promise<readonly Uint8Array[]> {
      await super.call(buffers);
      return [new Uint8Array(BigInt64Array.of(7n, 299n).buffer)];
    }
  }
  const host = new Chooser(names);
  const card = new QpcCard(host, samplingNetwork());
  expect([card.output, card.vocab]).toEqual(["next_tokens", 300]);
  expect(card.inputs).toContain("temperatures");
  expect(card.inputs).not.toContain("past_repetition_penalty_buffer");
  const inputs = { input_ids: ids(2, 1), position_ids: ids(2, 1) };
  card.give("past_repetition_penalty_buffer", new Uint8Array(600).fill(1));
  expect(await card.call(inputs)).toEqual(Int32Array.of(7, 299));
  await card.call(inputs);
  expect(host.calls.map((buffers) => buffers[2])).toEqual([
    { dims: [2, 300], elementBytes: 1, data: new Uint8Array(600).fill(1) },
    "kept",
  ]);
  expect(callShapes(samplingNetwork()).candidates).toBe(32);
  expect(callShapes(NETWORK).candidates).toBeUndefined();
  expect(() => callShapes(samplingNetwork(["top_ks", "min_ps"]))).toThrow("but has no input top_ks, min_ps");
});

test("guesses' calls are told from prompts' by what they answer for, whichever is longer", () => {
  const entry = (tokens: number, kept: number) => {
    const shape = (...dims: readonly number[]): AllowedShape => ({ dtype: "int64", dims });
    return { ...NETWORK.shapes[0]!, input_ids: shape(2, tokens), num_logits_to_keep: shape(kept, 1) };
  };
  const kept = { name: "num_logits_to_keep", dtype: "int64", dims: [4, 1], isPartialAllowed: false };
  const inputs = [...NETWORK.inputs, kept];
  for (const prompt of [1, 8])
    expect(callShapes({ ...NETWORK, inputs, shapes: [entry(prompt, 1), entry(4, 4)] }).shapes).toMatchObject({
      prefill: prompt,
      decode: 4,
    });
});

test("places for sequences beyond a call's rows aren't used", () => {
  const index = { name: "batch_index", dtype: "int64", dims: [2, 1], isPartialAllowed: false };
  const cache = { ...NETWORK.inputs[2]!, dims: [6, 1, 32, 4] };
  const network = { ...NETWORK, inputs: [...NETWORK.inputs.slice(0, 2), cache, index] };
  expect(callShapes(network).shapes).toMatchObject({ slots: 2, batchIndex: true });
});

test("a context that no layer keeps whole is known from who compiled it", () => {
  expect(callShapes(NETWORK, 4096)).toMatchObject({ ctxLen: 4096, rings: true });
  expect(callShapes(NETWORK, 32)).toMatchObject({ ctxLen: 32, rings: false });
});

test("inputs that nobody here makes are named before anything runs", () => {
  const adapters = { name: "lora_ids", dtype: "int64", dims: [2, 1], isPartialAllowed: false };
  expect(() => callShapes({ ...NETWORK, inputs: [...NETWORK.inputs, adapters] })).toThrow(
    "this QPC wants lora_ids with every call, which nothing here makes",
  );
});

test("a QPC says by its shapes how it is called", () => {
  expect(callShapes(NETWORK)).toEqual({
    generation: "positions",
    shapes: { slots: 2, prefill: 8, decode: 1, batchIndex: false },
    ctxLen: 32,
    compContexts: { prefill: [], decode: [] },
    rings: false,
  });
  const index = { name: "cache_index", dtype: "int64", dims: [1], isPartialAllowed: false };
  expect(callShapes({ ...NETWORK, inputs: [...NETWORK.inputs, index] }).generation).toBe("index");
  expect(callShapes({ ...NETWORK, shapes: [] }).shapes).toMatchObject({ prefill: 8, decode: 8 });
  expect(() => callShapes({ ...NETWORK, inputs: [], shapes: [] })).toThrow("no language model");
});
