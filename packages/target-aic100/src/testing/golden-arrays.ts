import { readFileSync } from "node:fs";
import { goldenDir } from "@llm/fixtures";

/** float32 arrays of a golden.safetensors by name. The file is small and ours, so it is read whole. */
export function goldenArrays(name: string): ReadonlyMap<string, Float32Array> {
  const bytes = readFileSync(`${goldenDir(name)}/golden.safetensors`);
  const length = Number(bytes.readBigUInt64LE());
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString("utf8", 8, 8 + length),
  );
  const arrays = new Map<string, Float32Array>();
  for (const [key, { dtype, data_offsets }] of Object.entries(header)) {
    if (dtype !== "F32") continue;
    const [from, to] = data_offsets.map((offset) => bytes.byteOffset + 8 + length + offset) as [number, number];
    arrays.set(key, new Float32Array(bytes.buffer.slice(from, to)));
  }
  return arrays;
}
