import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { DTYPES, type DType, type StoredTensor, sizeOf, type WeightSource } from "@llm/tensor";

export interface TestTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A checkpoint of one file: tensors one after another behind a few bytes, so that offsets are odd. */
export function fileSource(file: string, tensors: Readonly<Record<string, TestTensor>>): WeightSource {
  const stored = new Map<string, StoredTensor>();
  const chunks: Uint8Array[] = [new Uint8Array(13).fill(0xee)];
  let offset = 13;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (data.length !== sizeOf(shape) * DTYPES[dtype].bytes) throw new RangeError(name);
    stored.set(name, { name, shape, format: dtype, parts: { data: { file, offset, length: data.length } } });
    chunks.push(data);
    offset += data.length;
  }
  writeFileSync(file, Buffer.concat(chunks));
  return sourceOf(stored);
}

export function sourceOf(stored: ReadonlyMap<string, StoredTensor>): WeightSource {
  return {
    fingerprint: "test",
    names: () => stored.keys(),
    get: (name) => stored.get(name),
    async read(span, into) {
      const handle = await open(span.file, "r");
      try {
        const { bytesRead } = await handle.read(into, 0, span.length, span.offset);
        if (bytesRead !== span.length) throw new RangeError(`${span.file} ends early`);
      } finally {
        await handle.close();
      }
    },
  };
}

/** Numbers 0, 1/8, 2/8, … below 8, which every float dtype holds exactly. */
export function ramp(dtype: "f32" | "f16" | "bf16", shape: readonly number[]): TestTensor {
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 64) / 8);
  if (dtype === "f32") return { dtype, shape, data: new Uint8Array(values.buffer) };
  if (dtype === "f16") return { dtype, shape, data: new Uint8Array(new Float16Array(values).buffer) };
  const upper = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
  return { dtype, shape, data: new Uint8Array(upper.buffer) };
}
