import type { OnnxModel } from "@llm/exporter";
import { memorySource, type StoredInMemory, type Tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { tableValueBytes, withNarrowTables } from "./narrow-tables.ts";

const SHAPE = [2, 32];
const FORMATS: Readonly<Record<string, Tensor | StoredInMemory>> = {
  f32: { dtype: "f32", shape: SHAPE, data: new Float32Array(64) },
  bf16: { dtype: "bf16", shape: SHAPE, data: new Uint16Array(64) },
  f16: { dtype: "f16", shape: SHAPE, data: new Uint16Array(64) },
  q8_0: { shape: SHAPE, format: "q8_0", parts: { data: new Uint8Array(2 * 34) } },
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

test.each(["f32", "q8_0"])("a table of %s is float32", (format) => {
  expect(withNarrowTables(model(), source(format))).toEqual(model());
  expect(tableValueBytes(table, source(format))).toBe(4);
});

test("so is one that is multiplied by", () => {
  expect(withNarrowTables(model(true), source("bf16"))).toEqual(model(true));
});
