import { ortTensor } from "@llm/runtime-native/ort";
import type { QaicBuffer, QaicHost, QaicMapping } from "@llm/runtime-native/qaic";
import { expect, test } from "vitest";
import { readNetwork } from "../inspect/network.ts";
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
      isInput: !name.endsWith("_RetainedState") && name !== "logits",
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
  card.setMask(new Uint8Array(64).fill(1));
  for (let i = 0; i < 2; i++) await card.call({ input_ids: ids(2, 1), position_ids: ids(2, 1) });
  expect(host.calls[0]![5]).toMatchObject({ dims: [2, 32], elementBytes: 1 });
  expect(host.calls[1]![5]).toBe("kept");
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
