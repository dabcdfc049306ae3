import { type Attrs, type Dim, decoder, dimValue, GraphBuilder, primitive, type Sizes } from "@llm/core-ir";
import { type DType, sizeOf, type Tensor, tensor } from "@llm/tensor";
import { expect } from "vitest";
import { runOnnx } from "./run-onnx.test.support.ts";
import { type ToOnnxOptions, toOnnx } from "./to-onnx.ts";

export interface Case {
  readonly kind: string;
  readonly attrs?: Attrs;
  readonly ins: readonly Operand[];
}

export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Integers up to this; floats lie in ±2 unless said. */
  readonly from?: number;
  readonly to?: number;
  readonly values?: readonly number[];
}

const SIZES: Sizes = { b: 2, n: 3, m: 5 };
export const f = (...shape: Dim[]): Operand => ({ dtype: "f32", shape });
export const positive = (...shape: Dim[]): Operand => ({ dtype: "f32", shape, from: 0.1, to: 3 });
export const i = (from: number, to: number, ...shape: Dim[]): Operand => ({ dtype: "i32", shape, from, to });
export const b = (...shape: Dim[]): Operand => ({ dtype: "bool", shape, from: 0, to: 1 });

export const given = (shape: Dim[], ...values: number[]): Operand => ({ dtype: "i32", shape, values });

/** A sequence that looks random and is the same every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function values({ dtype, shape, from = -2, to = 2, values }: Operand, next: () => number): Tensor {
  const sizes = shape.map((dim) => dimValue(dim, SIZES));
  const numbers =
    values ??
    Array.from({ length: sizeOf(sizes) }, () =>
      dtype === "f32" ? from + (to - from) * next() : Math.floor(from + (to - from + 1) * next()),
    );
  const data = { f32: Float32Array, i32: Int32Array, bool: Uint8Array }[dtype as "f32"].from(numbers);
  return tensor(dtype, sizes, data);
}

/** Builds one op with operands as inputs; further operands in a case only bind symbols. */
function build({ kind, attrs = {}, ins }: Case) {
  const def = { ...decoder.ops, ...primitive.ops }[kind];
  const builder = new GraphBuilder(kind, [primitive, decoder]);
  for (const symbol of Object.keys(SIZES)) builder.dim(symbol, { min: 1, max: 64 });
  const operands = ins.map(({ dtype, shape }, index) => builder.input(`in${index}`, dtype, shape));
  const count = def.operands[0]?.startsWith("...") ? ins.length : def.operands.length;
  for (const result of builder.ops(kind, operands.slice(0, count), attrs)) builder.output(result);
  const bound = Object.fromEntries(
    Object.entries(attrs).map(([name, value]) => [name, def.attrs.fields[name].dims ? bind(value as Dim) : value]),
  );
  return { graph: builder.finish(), def, count, bound };
}

function bind(value: Dim | readonly Dim[]): number | number[] {
  return Array.isArray(value) ? value.map((dim) => dimValue(dim, SIZES)) : dimValue(value as Dim, SIZES);
}

function expectClose(actual: Tensor, expected: Tensor): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data.length).toBe(expected.data.length);
  for (let n = 0; n < expected.data.length; n++) {
    const [a, e] = [Number(actual.data[n]), Number(expected.data[n])];
    const off = Number.isNaN(e) ? (Number.isNaN(a) ? 0 : 1) : Math.abs(a - e) / Math.max(1, Math.abs(e));
    if (!(off < 1e-5) && a !== e) expect.fail(`element ${n} is ${a}, not ${e}`);
  }
}

/** One op on ONNX Runtime against its definition's own loops. */
export async function expectSameOnOnnx(c: Case, options: ToOnnxOptions): Promise<void> {
  const next = random(7);
  const { graph, def, count, bound } = build(c);
  const inputs = c.ins.map((operand) => values(operand, next));
  const expected = def.eval!(inputs.slice(0, count), bound as never);
  const named = Object.fromEntries(inputs.map((value, index) => [`in${index}`, value]));
  const actual = await runOnnx(toOnnx(graph, options), named);
  expect(actual.length).toBe(expected.length);
  actual.forEach((result, index) => {
    expectClose(result, expected[index]);
  });
}
