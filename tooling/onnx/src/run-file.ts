import { type OrtSession, type OrtTensor, openOrt, ortTensor } from "@llm/runtime-native/ort";

export type Values = Readonly<Record<string, OrtTensor>>;

/** A model that says the same on every machine. */
export function openFile(file: string): Promise<OrtSession> {
  return openOrt(file, { threads: 1 });
}

/** Gives a model what it has inputs for, whatever else is offered, and takes all its outputs. */
export function run(model: OrtSession, offered: Values): Promise<Values> {
  const given = Object.fromEntries(model.inputs.map(({ name }) => [name, offered[name]!]));
  return model.run(given, Object.fromEntries(model.outputs.map(({ name }) => [name, null])));
}

export function integers(dtype: "i32" | "i64", shape: readonly number[], values: readonly number[]): OrtTensor {
  return dtype === "i64"
    ? ortTensor("i64", shape, BigInt64Array.from(values, BigInt))
    : ortTensor("i32", shape, Int32Array.from(values));
}

/** Zeros of a float input's type. */
export function zeros(dtype: string, shape: readonly number[]): OrtTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return dtype === "f16"
    ? ortTensor("f16", shape, new Uint16Array(size))
    : ortTensor("f32", shape, new Float32Array(size));
}

/** `before` and `after` one behind the other along an axis. */
export function joined(before: OrtTensor, after: OrtTensor, axis: number): OrtTensor {
  const [a, b] = [before.data as Float32Array, after.data as Float32Array];
  const inner = (shape: readonly number[]) => shape.slice(axis).reduce((x, y) => x * y, 1);
  const outer = before.shape.slice(0, axis).reduce((x, y) => x * y, 1);
  const [widthA, widthB] = [inner(before.shape), inner(after.shape)];
  const data = new Float32Array(a.length + b.length);
  for (let row = 0; row < outer; row++) {
    data.set(a.subarray(row * widthA, (row + 1) * widthA), row * (widthA + widthB));
    data.set(b.subarray(row * widthB, (row + 1) * widthB), row * (widthA + widthB) + widthA);
  }
  const shape = before.shape.map((size, at) => (at === axis ? size + after.shape[axis]! : size));
  return ortTensor("f32", shape, data);
}
