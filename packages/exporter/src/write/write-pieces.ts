import { stream, type WeightSource } from "@llm/tensor";
import { ExportError } from "../error.ts";
import { clipHalf } from "./clip-half.ts";
import type { DurableFile } from "./durable-file.ts";
import { bytesOf, type Layout, type Piece, packingOf } from "./lay-out.ts";

/** Large enough that calls cost nothing, small enough that several at once stay within a few tens of megabytes. */
const CHUNK_BYTES = 4 * 2 ** 20;

/** Pieces in flight at once: reading one overlaps with converting and writing others. */
const IN_FLIGHT = 4;

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
  const queue = layout.pieces[Symbol.iterator]();
  const notes: string[] = [];
  let done = 0;
  const work = async () => {
    for (const piece of queue) {
      let at = 0;
      let clipped = 0;
      for await (const bytes of bytesOfPiece(piece, source, stop)) {
        stop.throwIfAborted();
        if (at + bytes.length > piece.length) throw wrongLength(piece);
        if (isConvertedHalf(piece)) clipped += clipHalf(bytes);
        await file.write(bytes, piece.offset + at);
        at += bytes.length;
        progress?.((done += bytes.length), total);
      }
      if (at !== piece.length) throw wrongLength(piece);
      if (clipped > 0) notes.push(`${nameOf(piece)}: ${clipped} values past fp16's range were clipped to 65504`);
    }
  };
  const workers = Array.from({ length: IN_FLIGHT }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(workers); // nobody may still write when the file is dropped
    throw error;
  }
  return notes.sort();
}

function isConvertedHalf({ content }: Piece): boolean {
  return "weight" in content && packingOf(content) === "f16";
}

async function* bytesOfPiece({ content }: Piece, source: WeightSource, signal: AbortSignal): AsyncIterable<Uint8Array> {
  if ("weight" in content)
    yield* stream(content.weight, source, packingOf(content), { chunkBytes: CHUNK_BYTES, signal });
  else yield bytesOf(content.data);
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
