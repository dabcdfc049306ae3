import { read, type WeightSource } from "@llm/tensor";

/** A tensor's values through the reader that everything else uses. */
export async function valuesOf(source: WeightSource, name: string): Promise<Float32Array> {
  const { shape } = source.get(name)!;
  const { data } = await read({ op: "tensor", name, shape }, source, "f32");
  return data as Float32Array;
}
