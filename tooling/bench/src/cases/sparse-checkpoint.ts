import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { architectureFor, Config } from "@llm/models";
import { leavesOf } from "@llm/tensor";

/** Bytes of random numbers that are written over and over: nothing here looks at the values. */
const CHUNK_VALUES = 2 ** 22;

/**
 * A checkpoint of a config's shape in one safetensors file. Sparse: a hole of the right length, which takes no room; dense:
 * small random bf16 numbers.
 */
export function makeCheckpoint(folder: string, config: Record<string, unknown>, kind: "sparse" | "dense"): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const { weights } = architectureFor(config).build(new Config(config));
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const { expr } of weights) {
    // The first of a weight's alternative names is as good as any.
    const [{ name, shape }] = leavesOf(expr);
    if (Object.hasOwn(header, name)) continue;
    const length = shape.reduce((a, b) => a * b, 1) * 2;
    header[name] = { dtype: kind === "sparse" ? "F16" : "BF16", shape, data_offsets: [end, end + length] };
    end += length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, length);
  writeSync(file, text);
  if (kind === "sparse") ftruncateSync(file, 8 + text.length + end);
  else fill(file, end);
  closeSync(file);
}

function fill(file: number, bytes: number): void {
  const values = Float32Array.from({ length: CHUNK_VALUES }, () => (Math.random() - 0.5) / 10);
  const halves = Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16);
  const chunk = new Uint8Array(halves.buffer);
  for (let left = bytes; left > 0; left -= chunk.length) {
    writeSync(file, chunk, 0, Math.min(left, chunk.length));
    // Others than before: of weights that are equal ONNX Runtime packs one.
    const turn = Math.floor(Math.random() * halves.length);
    chunk.set(Buffer.concat([chunk.subarray(2 * turn), chunk.subarray(0, 2 * turn)]));
  }
}
