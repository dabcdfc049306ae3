import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ExportError } from "../error.ts";
import { type DurableFile, writeError } from "./durable-file.ts";
import type { HalveJob, HalveReply } from "./halve-worker.ts";

/** More than this, and the disk is what is waited for. */
const MAX_WORKERS = 8;

/** The worker lies beside this file, as it is in the repository or compiled. */
const WORKER = new URL(`./halve-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

export interface HalveProgress {
  readonly signal: AbortSignal;
  written(bytes: number): void;
}

/** Does the jobs on all cores; returns, for each, how many values were clipped. */
export async function halveAll(
  jobs: readonly HalveJob[],
  file: DurableFile,
  progress: HalveProgress,
): Promise<readonly number[]> {
  const clipped: number[] = Array(jobs.length).fill(0);
  const queue = jobs.entries();
  const workers = Array.from({ length: Math.min(availableParallelism(), MAX_WORKERS, jobs.length) }, async () => {
    const worker = new Worker(WORKER, { workerData: { target: file.temporary } });
    try {
      for (const [index, job] of queue) clipped[index] = await run(worker, job, file.path, progress);
    } finally {
      await worker.terminate();
    }
  });
  await Promise.all(workers);
  return clipped;
}

function run(worker: Worker, job: HalveJob, target: string, { signal, written }: HalveProgress): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      worker.off("message", onMessage).off("error", onError);
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const onMessage = (reply: HalveReply) => {
      if ("written" in reply) written(reply.written);
      else if ("clipped" in reply) settle(() => resolve(reply.clipped));
      else settle(() => reject(failure(reply.failed, job, target)));
    };
    const onError = (error: unknown) => settle(() => reject(error));
    const onAbort = () => settle(() => reject(signal.reason));
    worker.on("message", onMessage).on("error", onError);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else worker.postMessage(job);
  });
}

function failure(failed: { file: string; code?: string; message: string }, job: HalveJob, target: string): Error {
  if (failed.file !== job.file) return writeError(failed, target);
  return new ExportError("file-invalid", `can't be read: ${failed.message}`, { file: failed.file });
}
