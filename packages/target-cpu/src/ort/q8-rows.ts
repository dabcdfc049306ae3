import type { OnnxAttr, OnnxInitializer, OnnxNode } from "@llm/exporter";
import type { Tensor } from "@llm/tensor";

/** Codes of a block of GGUF's Q8_0. A scale in fp16 is before them. */
const CODES = 32;
const SCALE_BYTES = 2;

/** The block's own size, in values and in bytes. */
export const Q8_BLOCK = { values: CODES, bytes: SCALE_BYTES + CODES } as const;

/** By the highest six bits of an fp16 number, its sign and its exponent: what its fraction is added to, and a unit of that. */
const LEADING = Float32Array.from({ length: 64 }, (_, bits) => (bits % 32 === 0 ? 0 : 1024));
const UNIT = Float32Array.from({ length: 64 }, (_, bits) => (bits < 32 ? 1 : -1) * 2 ** (Math.max(bits % 32, 1) - 25));

const CONSTANTS: Readonly<Record<string, Tensor>> = {
  parts: { dtype: "i64", shape: [2], data: BigInt64Array.of(BigInt(SCALE_BYTES), BigInt(CODES)) },
  bytes: { dtype: "i64", shape: [2], data: BigInt64Array.of(1n, 1n) },
  rows: { dtype: "i64", shape: [3], data: BigInt64Array.of(0n, 0n, -1n) },
  four: { dtype: "i32", shape: [], data: Int32Array.of(4) },
  byte: { dtype: "i32", shape: [], data: Int32Array.of(256) },
  leading: { dtype: "f32", shape: [64], data: LEADING },
  unit: { dtype: "f32", shape: [64], data: UNIT },
};

/** What reading blocks takes, once for all tables of a model. */
export const q8Constants: readonly OnnxInitializer[] = Object.entries(CONSTANTS).map(([name, tensor]) => ({
  name: constant(name),
  tensor,
}));

function constant(name: string): string {
  return `q8_0:${name}`;
}

/**
 * Rows of a table of Q8_0's blocks (rows, blocks, bytes), by ids (batch, seq), as the float32 numbers that they stand for, bit for
 * bit. No operator takes a number from its bits, so that a scale is put together from what its bits mean.
 */
export function q8Rows(table: string, ids: string, out: string): readonly OnnxNode[] {
  const nodes: OnnxNode[] = [];
  const value = (name: string) => `${out}:${name}`;
  const node = (op: string, inputs: readonly string[], outputs: readonly string[], attrs?: OnnxNode["attrs"]) =>
    nodes.push({ op, inputs, outputs: outputs.map(value), ...(attrs ? { attrs } : {}) });
  const last: Readonly<Record<string, OnnxAttr>> = { axis: { int: -1 } };
  const as = (dtype: "i32" | "f32"): Readonly<Record<string, OnnxAttr>> => ({ to: { dtype } });

  node("Gather", [table, ids], ["blocks"]);
  node("Split", [value("blocks"), constant("parts")], ["scale", "codes"], last);
  node("Cast", [value("scale")], ["signed"], as("i32"));
  node("Add", [value("signed"), constant("byte")], ["above"]);
  node("Mod", [value("above"), constant("byte")], ["unsigned"]);
  node("Split", [value("unsigned"), constant("bytes")], ["low", "high"], last);
  node("Div", [value("high"), constant("four")], ["exponent"]);
  node("Mod", [value("high"), constant("four")], ["highest"]);
  node("Mul", [value("highest"), constant("byte")], ["upper"]);
  node("Add", [value("upper"), value("low")], ["fraction"]);
  node("Cast", [value("fraction")], ["units"], as("f32"));
  node("Gather", [constant("leading"), value("exponent")], ["leading"]);
  node("Gather", [constant("unit"), value("exponent")], ["unit"]);
  node("Add", [value("units"), value("leading")], ["all"]);
  node("Mul", [value("all"), value("unit")], ["step"]);
  node("Cast", [value("codes")], ["steps"], as("f32"));
  node("Mul", [value("steps"), value("step")], ["values"]);
  nodes.push({ op: "Reshape", inputs: [value("values"), constant("rows")], outputs: [out] });
  return nodes;
}
