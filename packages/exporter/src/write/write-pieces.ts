import { existsSync } from "node:fs";
import { fastCodecs, type Loss, locate, plainPacking, stream, type WeightSource } from "@llm/tensor";
import { ExportError } from "../error.ts";
import { clipHalf } from "./clip-half.ts";
import type { DurableFile } from "./durable-file.ts";
import { WIDER_BYTES } from "./halve.ts";
import { halveInLanes } from "./halve-lanes.ts";
import { type HalveProgress, halveAll } from "./halve-pool.ts";
import type { HalveJob } from "./halve-worker.ts";
import { bytesOf, type Layout, type Piece, packingOf, type WeightInitializer } from "./lay-out.ts";

/** Large enough that calls cost nothing, small enough that several at once stay within a few tens of megabytes. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** Pieces in flight at once: reading one overlaps with converting and writing others. */
const IN_FLIGHT = 4;

/** Less than this is done before threads have started. */
const WORTH_THREADS = 32 * 2 ** 20;

interface Progress {
  readonly signal?: AbortSignal;
  progress?(done: number, total: number): void;
}

/** Makes the data file's bytes, each piece at its place, with bounded memory; returns what a user should know of it. */
export async function writePieces(
  layout: Layout,
  file: DurableFile,
  source: WeightSource,
  { signal, progress }: Progress,
): Promise<readonly string[]> {
  const total = layout.pieces.reduce((sum, { length }) => sum + length, 0);
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  let done = 0;
  const written = (bytes: number) => progress?.((done += bytes), total);
  const { halved, streamed } = divide(layout.pieces, source);
  const clipped = new Map<Piece, number>();

  const queue = streamed[Symbol.iterator]();
  const work: Promise<void>[] = Array.from({ length: IN_FLIGHT }, async () => {
    for (const piece of queue) clipped.set(piece, await writePiece(piece, file, source, { signal: stop, written }));
  });
  const jobs = halved.map(({ job }) => job);
  // Threads of ours only where this one alone would be what is waited for.
  const halveJobs = fastCodecs(Number.POSITIVE_INFINITY) ? halveInLanes : halveAll;
  if (jobs.length > 0)
    work.push(
      halveJobs(jobs, file, { signal: stop, written }).then((counts) => {
        for (const [index, count] of counts.entries()) clipped.set(halved[index].piece, count);
      }),
    );
  try {
    await Promise.all(work);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(work); // nobody may still write when the file is dropped
    throw error;
  }
  return layout.pieces
    .filter((piece) => clipped.get(piece))
    .map((piece) => `${nameOf(piece)}: ${clipped.get(piece)} values past ${lossOf(piece)}`);
}

interface Halved {
  readonly piece: Piece;
  readonly job: HalveJob;
}

/** Pieces that threads can make of a file by themselves, and those that only the expression's reader can. */
function divide(pieces: readonly Piece[], source: WeightSource): { halved: Halved[]; streamed: Piece[] } {
  const halved: Halved[] = [];
  const streamed: Piece[] = [];
  const onDisk = new Map<string, boolean>();
  for (const piece of pieces) {
    const job = jobOf(piece, source);
    if (job !== undefined && !onDisk.has(job.file)) onDisk.set(job.file, existsSync(job.file));
    if (job !== undefined && onDisk.get(job.file)) halved.push({ piece, job });
    else streamed.push(piece);
  }
  const bytes = halved.reduce((sum, { piece }) => sum + piece.length, 0);
  return bytes < WORTH_THREADS ? { halved: [], streamed: [...pieces] } : { halved, streamed };
}

function jobOf(piece: Piece, source: WeightSource): HalveJob | undefined {
  if (!isConvertedHalf(piece)) return undefined;
  const { weight } = piece.content as WeightInitializer;
  for (const from of ["bf16", "f32"] as const) {
    const span = locate(weight, source, from);
    const count = piece.length / 2;
    if (span?.length === count * WIDER_BYTES[from])
      return { file: span.file, offset: span.offset, count, from, at: piece.offset };
  }
  return undefined;
}

/** Streams one piece to its place and says how many of its values didn't fit. */
async function writePiece(
  piece: Piece,
  file: DurableFile,
  source: WeightSource,
  { signal, written }: HalveProgress,
): Promise<number> {
  let at = 0;
  let clipped = 0;
  const loss: Loss = { overflowed: 0 };
  for await (const bytes of bytesOfPiece(piece, source, signal, loss)) {
    signal.throwIfAborted();
    if (at + bytes.length > piece.length) throw wrongLength(piece);
    if (isConvertedHalf(piece)) clipped += clipHalf(bytes);
    await file.write(bytes, piece.offset + at);
    at += bytes.length;
    written(bytes.length);
  }
  if (at !== piece.length) throw wrongLength(piece);
  return isConvertedHalf(piece) ? clipped : loss.overflowed;
}

function isConvertedHalf({ content }: Piece): boolean {
  return "weight" in content && packingOf(content) === "f16";
}

/** What became of values that didn't fit. */
function lossOf(piece: Piece): string {
  if (isConvertedHalf(piece)) return "fp16's range were clipped to 65504";
  const { content } = piece;
  const dtype = "weight" in content ? plainPacking(packingOf(content)) : content.dtype;
  return `${dtype}'s range became infinite`;
}

async function* bytesOfPiece(
  { content }: Piece,
  source: WeightSource,
  signal: AbortSignal,
  loss: Loss,
): AsyncIterable<Uint8Array> {
  if ("weight" in content) {
    const packing = packingOf(content);
    // fp16 is counted where it is clipped; counting makes reading convert twice where nothing can be lost.
    const counted = packing === "f16" ? {} : { loss };
    yield* stream(content.weight, source, packing, { chunkBytes: CHUNK_BYTES, signal, reuse: true, ...counted });
  } else yield bytesOf(content.data);
}

function nameOf({ content }: Piece): string {
  return "weight" in content ? content.name : "a constant";
}

function wrongLength(piece: Piece): ExportError {
  return new ExportError(
    "graph-invalid",
    `${nameOf(piece)}: what the checkpoint has is not the ${piece.length} bytes that the graph says`,
  );
}
