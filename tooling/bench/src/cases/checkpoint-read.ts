import { execFile } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openCheckpoint } from "@llm/checkpoint";
import { stream } from "@llm/tensor";
import type { Case, Measurement } from "../case.ts";

const run = promisify(execFile);
const MiB = 1024 * 1024;
const TENSORS = 16;
const TENSOR_BYTES = 32 * MiB;

async function writeModel(folder: string): Promise<void> {
  const header: Record<string, unknown> = {};
  for (let i = 0; i < TENSORS; i++)
    header[`t${i}`] = { dtype: "F16", shape: [4096, 4096], data_offsets: [i * TENSOR_BYTES, (i + 1) * TENSOR_BYTES] };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const handle = await open(join(folder, "model.safetensors"), "w");
  await handle.write(Buffer.concat([length, text]));
  const block = Buffer.alloc(TENSOR_BYTES);
  for (let i = 0; i < TENSORS; i++) await handle.write(randomFillSync(block));
  await handle.close();
  await writeFile(join(folder, "config.json"), "{}");
}

async function timed(bytes: number, work: () => Promise<void>): Promise<Measurement> {
  const start = performance.now();
  await work();
  return { rate: bytes / 1e3 / (performance.now() - start) };
}

/** Reading every tensor in order, as bytes and as a stream of values, against what the machine's own copy program does. */
export const checkpointRead: Case = {
  name: "checkpoint-read",
  title: "Reading tensors one after another (512 MB, cached)",
  metrics: [{ key: "rate", unit: "MB/s", better: "higher", bar: 0.8 }],
  rounds: 8,
  baseline: "dd",
  sides: async () => {
    const folder = await mkdtemp(join(tmpdir(), "bench-read-"));
    const file = join(folder, "model.safetensors");
    const bytes = TENSORS * TENSOR_BYTES;
    await writeModel(folder);
    const checkpoint = await openCheckpoint(folder);
    // Large buffers start 16 bytes after a page; copies into them are twice as fast from the next cache line on.
    const into = new Uint8Array(new ArrayBuffer(4 * MiB + 64), 48, 4 * MiB);
    return [
      {
        name: "weights.read",
        detail: "into one buffer of 4 MiB",
        run: () =>
          timed(bytes, async () => {
            for (const name of checkpoint.weights.names()) {
              const span = checkpoint.weights.get(name)!.parts.data!;
              for (let at = 0; at < span.length; at += into.length)
                await checkpoint.weights.read({ ...span, offset: span.offset + at, length: into.length }, into);
            }
          }),
      },
      {
        name: "stream",
        detail: "@llm/tensor's stream of each tensor in its own format, in chunks that lie where the last one was",
        run: () =>
          timed(bytes, async () => {
            for (const name of checkpoint.weights.names()) {
              const { shape } = checkpoint.weights.get(name)!;
              let seen = 0;
              for await (const chunk of stream({ op: "tensor", name, shape }, checkpoint.weights, "f16", {
                reuse: true,
              }))
                seen += chunk.length;
              if (seen !== TENSOR_BYTES) throw new Error(`${name}: ${seen} bytes`);
            }
          }),
        close: async () => {
          await checkpoint.close();
          await rm(folder, { recursive: true });
        },
      },
      {
        name: "dd",
        detail: "bs=4M of=/dev/null, same file",
        run: () => timed(bytes, async () => void (await run("dd", [`if=${file}`, "of=/dev/null", "bs=4M"]))),
      },
    ];
  },
};
