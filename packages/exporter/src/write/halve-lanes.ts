import { type FileHandle, open } from "node:fs/promises";
import { ExportError } from "../error.ts";
import type { DurableFile } from "./durable-file.ts";
import { halve, WIDER_BYTES } from "./halve.ts";
import type { HalveProgress } from "./halve-pool.ts";
import type { HalveJob } from "./halve-worker.ts";

/** As many reads and writes at a time as the system's own threads take. */
const LANES = 4;

/** Values at a time: what is read, and what is made of it, stay in the processor's caches. */
const AT_ONCE = 2 ** 19;

/**
 * Does the jobs where converting is next to nothing beside reading and writing: those overlap, this thread converts. Returns, for
 * each, how many values were clipped.
 */
export async function halveInLanes(
  jobs: readonly HalveJob[],
  file: DurableFile,
  { signal, written }: HalveProgress,
): Promise<readonly number[]> {
  const clipped: number[] = Array(jobs.length).fill(0);
  const inputs = new Map<string, Promise<FileHandle>>();
  const stretches = stretchesOf(jobs);
  const lanes = Array.from({ length: LANES }, async () => {
    const source = new Uint8Array(AT_ONCE * 4);
    const halves = new Uint16Array(AT_ONCE);
    for (const { index, start, count } of stretches) {
      signal.throwIfAborted();
      const job = jobs[index];
      const width = WIDER_BYTES[job.from];
      const bytes = source.subarray(0, count * width);
      await readAll(inputs, job.file, bytes, job.offset + start * width);
      const made = halves.subarray(0, count);
      clipped[index] += halve(bytes, job.from, made);
      await file.write(new Uint8Array(made.buffer, 0, made.byteLength), job.at + start * 2);
      written(count * 2);
    }
  });
  try {
    await Promise.all(lanes);
  } finally {
    await Promise.allSettled(lanes); // none may still read from what is closed
    for (const input of inputs.values()) await (await input.catch(() => undefined))?.close();
  }
  return clipped;
}

function* stretchesOf(jobs: readonly HalveJob[]) {
  for (const [index, { count }] of jobs.entries())
    for (let start = 0; start < count; start += AT_ONCE)
      yield { index, start, count: Math.min(AT_ONCE, count - start) };
}

async function readAll(
  inputs: Map<string, Promise<FileHandle>>,
  file: string,
  into: Uint8Array,
  position: number,
): Promise<void> {
  try {
    const opening = inputs.get(file) ?? open(file, "r");
    inputs.set(file, opening);
    const handle = await opening;
    for (let done = 0; done < into.length; ) {
      const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) throw new RangeError("it ends before the weight does");
      done += bytesRead;
    }
  } catch (error) {
    throw new ExportError("file-invalid", `can't be read: ${(error as Error).message}`, { file, cause: error });
  }
}
