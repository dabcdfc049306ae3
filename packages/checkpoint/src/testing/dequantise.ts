import type { StoredTensor, WeightSource } from "@llm/tensor";

const AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

/** A 4-bit GPTQ or AWQ tensor as floats [out, in], one value after another: for comparing with an oracle, not for speed. */
export async function dequantise(weights: WeightSource, tensor: StoredTensor): Promise<Float32Array> {
  const [outputs, inputs] = tensor.shape as [number, number];
  const params = tensor.params as { groupSize: number; zeroOffset?: number };
  const words = async (key: string) => {
    const bytes = await part(weights, tensor, key);
    return new Uint32Array(bytes.buffer);
  };
  const [qweight, qzeros] = [await words("qweight"), await words("qzeros")];
  const scales = new Float16Array((await part(weights, tensor, "scales")).buffer);
  const groups = tensor.parts.g_idx ? await words("g_idx") : undefined;
  const nibble = (word: number, i: number) => (word >>> (4 * i)) & 15;
  const values = new Float32Array(outputs * inputs);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++) {
      const group = groups ? groups[i]! : Math.floor(i / params.groupSize);
      const column = outputs / 8;
      const scale = scales[group * outputs + o]!;
      const zeroWord = qzeros[group * column + (o >> 3)]!;
      if (tensor.format === "awq") {
        const at = AWQ_ORDER.indexOf(o & 7);
        values[o * inputs + i] = scale * (nibble(qweight[i * column + (o >> 3)]!, at) - nibble(zeroWord, at));
      } else {
        const zero = nibble(zeroWord, o & 7) + params.zeroOffset!;
        values[o * inputs + i] = scale * (nibble(qweight[(i >> 3) * outputs + o]!, i & 7) - zero);
      }
    }
  return values;
}

async function part(weights: WeightSource, tensor: StoredTensor, key: string): Promise<Uint8Array<ArrayBuffer>> {
  const span = tensor.parts[key]!;
  const bytes = new Uint8Array(span.length);
  await weights.read(span, bytes);
  return bytes;
}
