import { DTYPES, type DType, type StoredTensor, sizeOf, type WeightSource } from "@llm/tensor";

/** A plain tensor's values as bytes in row-major order, by the most obvious loop: what tests compare with an oracle's. */
export async function denseBytes(weights: WeightSource, tensor: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
  const data = tensor.parts.data!;
  const bytes = new Uint8Array(data.length);
  await weights.read(data, bytes);
  if (!tensor.strides && !tensor.rows) return bytes;
  const size = DTYPES[tensor.format as DType].bytes;
  const dense = new Uint8Array(sizeOf(tensor.shape) * size);
  storedOrder(tensor).forEach((from, i) => {
    dense.set(bytes.subarray(from * size, (from + 1) * size), i * size);
  });
  return dense;
}

/** A plain float tensor's values in row-major order. */
export async function floats(weights: WeightSource, tensor: StoredTensor): Promise<number[]> {
  const { buffer } = await denseBytes(weights, tensor);
  const shift = tensor.shift ?? 0;
  return Array.from(asFloats(tensor.format, buffer), (value) => value + shift);
}

function asFloats(format: string, buffer: ArrayBuffer): ArrayLike<number> {
  if (format === "f32") return new Float32Array(buffer);
  if (format === "f16") return new Float16Array(buffer);
  if (format === "bf16")
    return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
  throw new Error(`no floats of ${format}`);
}

/** For each logical element in row-major order, which stored element it is. */
function storedOrder({ shape, strides, rows }: StoredTensor): number[] {
  if (!rows) return indices(shape, strides ?? rowMajor(shape));
  const width = sizeOf(shape.slice(1));
  return rows
    .flatMap((run) => indices(run.shape, run.strides).map((row) => run.start + row))
    .flatMap((row) => Array.from({ length: width }, (_, i) => row * width + i));
}

function indices(shape: readonly number[], strides: readonly number[]): number[] {
  return shape.reduce<number[]>(
    (starts, dim, axis) => starts.flatMap((start) => Array.from({ length: dim }, (_, i) => start + i * strides[axis]!)),
    [0],
  );
}

function rowMajor(shape: readonly number[]): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}
