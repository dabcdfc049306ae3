import { openSync, readSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { halve, WIDER_BYTES, type Wider } from "./halve.ts";

/** A stretch of a checkpoint's file that becomes fp16 at a place of the file that is being written. */
export interface HalveJob {
  readonly file: string;
  readonly offset: number;
  readonly count: number; // values
  readonly from: Wider;
  readonly at: number;
}

/** What a worker says: bytes written so far of the job, then that it is done, or why it isn't. */
export type HalveReply =
  | { readonly written: number }
  | { readonly clipped: number }
  | { readonly failed: { readonly file: string; readonly code?: string; readonly message: string } };

/** Values at a time: what is read, and what is made of it, stay within a second-level cache or two. */
const AT_ONCE = 2 ** 19;

const { target } = workerData as { readonly target: string };
const out = openSync(target, "r+");
const inputs = new Map<string, number>();
const source = new Uint8Array(AT_ONCE * 4);
const halves = new Uint16Array(AT_ONCE);

parentPort!.on("message", (job: HalveJob) => {
  let file = job.file;
  try {
    let clipped = 0;
    for (let done = 0; done < job.count; ) {
      const count = Math.min(AT_ONCE, job.count - done);
      const bytes = source.subarray(0, count * WIDER_BYTES[job.from]);
      file = job.file;
      readAll(inputOf(file), bytes, job.offset + done * WIDER_BYTES[job.from]);
      const made = halves.subarray(0, count);
      clipped += halve(bytes, job.from, made);
      file = target;
      writeAll(out, new Uint8Array(made.buffer, 0, made.byteLength), job.at + done * 2);
      done += count;
      reply({ written: count * 2 });
    }
    reply({ clipped });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    reply({ failed: { file, message, ...(code === undefined ? {} : { code }) } });
  }
});

function reply(message: HalveReply): void {
  parentPort!.postMessage(message);
}

function inputOf(file: string): number {
  const open = inputs.get(file) ?? openSync(file, "r");
  inputs.set(file, open);
  return open;
}

function readAll(fd: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const read = readSync(fd, into, done, into.length - done, position + done);
    if (read === 0) throw new RangeError("it ends before the weight does");
    done += read;
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}
