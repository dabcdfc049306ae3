import { DTYPES, type DType, type StoredTensor, type WeightSource } from "@llm/tensor";

/** A plain tensor's values as bytes in row-major order, by the most obvious loop: what tests compare with an oracle's. */
export async function denseBytes(weights: WeightSource, tensor: StoredTensor): Promise<Uint8Array> {
  const data = tensor.parts.data!;
  const bytes = new Uint8Array(data.length);
  await weights.read(data, bytes);
  if (!tensor.strides) return bytes;
  const size = DTYPES[tensor.format as DType].bytes;
  const { shape, strides } = tensor;
  const count = shape.reduce((a, b) => a * b, 1);
  const dense = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    let rest = i;
    let at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    dense.set(bytes.subarray(at * size, (at + 1) * size), i * size);
  }
  return dense;
}
