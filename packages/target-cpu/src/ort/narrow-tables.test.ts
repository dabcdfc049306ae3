import type { Graph } from "@llm/core-ir";
import type { OnnxModel } from "@llm/exporter";
import { leavesOf, memorySource, read, type StoredInMemory, type Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { cpuTarget } from "../cpu-target.ts";
import { llama } from "../testing/llama.ts";
import { buildFrom, DEFAULTS } from "../testing/open-golden.ts";
import { tableValueBytes, withNarrowTables } from "./narrow-tables.ts";

const SHAPE = [2, 32];
const FORMATS: Readonly<Record<string, Tensor | StoredInMemory>> = {
  f32: { dtype: "f32", shape: SHAPE, data: new Float32Array(64) },
  bf16: { dtype: "bf16", shape: SHAPE, data: new Uint16Array(64) },
  f16: { dtype: "f16", shape: SHAPE, data: new Uint16Array(64) },
  q8_0: { shape: SHAPE, format: "q8_0", parts: { data: new Uint8Array(2 * 34) } },
  q5_0: { shape: SHAPE, format: "q5_0", parts: { data: new Uint8Array(2 * 22) } },
};

const table = { op: "tensor", name: "table", shape: SHAPE } as const;

/** A table that is looked up in, and multiplied by too where that is said. */
function model(isTied = false): OnnxModel {
  return {
    ...{ name: "model", opsets: { "": 21 }, inputs: [], outputs: [] },
    initializers: [{ name: "table", dtype: "f32", shape: SHAPE, weight: table }],
    nodes: [
      { op: "Gather", inputs: ["table", "ids"], outputs: ["row"] },
      ...(isTied ? [{ op: "MatMul", inputs: ["row", "table"], outputs: ["logits"] }] : []),
    ],
  };
}

const source = (format: string) => memorySource({ table: FORMATS[format]! });

test.each(["bf16", "f16"])("a table of %s stays so, and its rows are widened", (dtype) => {
  const narrow = withNarrowTables(model(), source(dtype));
  expect(narrow.initializers).toEqual([{ name: "table", dtype, shape: SHAPE, weight: table }]);
  expect(narrow.nodes).toEqual([
    { op: "Gather", inputs: ["table", "ids"], outputs: ["row:stored"] },
    { op: "Cast", inputs: ["row:stored"], outputs: ["row"], attrs: { to: { dtype: "f32" } } },
  ]);
  expect(tableValueBytes(table, source(dtype))).toBe(2);
});

test("a table of q8_0 stays the checkpoint's bytes", () => {
  const { initializers } = withNarrowTables(model(), source("q8_0"));
  const packing = { format: "q8_0", part: "data" };
  expect(initializers[0]).toEqual({ name: "table", dtype: "i8", shape: [2, 1, 34], weight: table, packing });
  expect(tableValueBytes(table, source("q8_0"))).toBe(34 / 32);
});

test.each(["f32", "q5_0"])("a table of %s is float32", (format) => {
  expect(withNarrowTables(model(), source(format))).toEqual(model());
  expect(tableValueBytes(table, source(format))).toBe(4);
});

test("so is one that is multiplied by", () => {
  expect(withNarrowTables(model(true), source("bf16"))).toEqual(model(true));
});

test.each(["bf16", "f16", "q4_0", "q8_0", "q6_K"] as const)(
  "rows of a table of %s are, bit for bit, what they stand for",
  async (format) => {
    const graph = llama(256, 1, 64);
    const card = { name: "m", architecture: "llama", vocab: 1024, width: 256, blocks: 1, context: 64, parameters: 0 };
    const stored = randomTensors(graph, format);
    const floats: Record<string, Tensor> = {};
    for (const { expr } of graph.weights) {
      const { name } = leavesOf(expr)[0]!;
      floats[name] = await read(expr, memorySource(stored), "f32");
    }
    const tokens = Int32Array.from({ length: 48 }, (_, i) => (i * 331) % 1024);
    const logits: Float32Array[] = [];
    for (const tensors of [stored, floats]) {
      using built = await buildFrom(memorySource(tensors), graph, card);
      const session = await cpuTarget.open(built.artefact, DEFAULTS);
      logits.push((await session.step([{ slot: 0, at: 0, tokens, want: { kind: "logits", last: 48 } }]))[0]!.logits!);
      await session.close();
    }
    expect(logits[0]!.some((x) => x !== 0 && Number.isFinite(x))).toBe(true);
    expect(logits[0]).toEqual(logits[1]);
  },
);

/** How many values and bytes a block has, and which byte is the high one of its half. */
const BLOCKS = {
  bf16: { values: 1, bytes: 2, high: 1 },
  f16: { values: 1, bytes: 2, high: 1 },
  q4_0: { values: 32, bytes: 18, high: 1 },
  q8_0: { values: 32, bytes: 34, high: 1 },
  q6_K: { values: 256, bytes: 210, high: 209 },
} as const;

/** Tensors of a graph, the table of tokens in a format: any bits, below 2 where they are halves. */
function randomTensors({ weights }: Graph, format: keyof typeof BLOCKS): Record<string, Tensor | StoredInMemory> {
  let state = 7;
  const roll = () => (state = (state * 48271) % 2147483647) & 0xff;
  const tensors: Record<string, Tensor | StoredInMemory> = {};
  for (const { name, shape } of weights.flatMap(({ expr }) => leavesOf(expr))) {
    const size = shape.reduce((count, dim) => count * dim, 1);
    if (!name.includes("embed_tokens")) {
      tensors[name] = { dtype: "f32", shape, data: Float32Array.from({ length: size }, () => (roll() - 128) / 1000) };
      continue;
    }
    const { values, bytes, high } = BLOCKS[format];
    const data = Uint8Array.from({ length: (size / values) * bytes }, roll);
    for (let at = high; at < data.length; at += bytes) data[at]! &= 0xbf;
    tensors[name] =
      format === "bf16" || format === "f16"
        ? { dtype: format, shape, data: new Uint16Array(data.buffer) }
        : { shape, format, parts: { data } };
  }
  return tensors;
}
