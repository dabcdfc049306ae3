import { rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { locate, type Span, type WeightSource } from "@llm/tensor";
import { makeFolder } from "@llm/tensor/files";
import { ExportError } from "../error.ts";
import type { OnnxModel } from "../model/onnx-model.ts";
import { type ExternalData, encodeModel } from "../model/to-proto.ts";
import { DurableFile, writeDurably, writeError } from "./durable-file.ts";
import { byteLength, layOut, packingOf, type WeightInitializer } from "./lay-out.ts";
import { linkFile } from "./link-file.ts";
import { writePieces } from "./write-pieces.ts";

/** Where and how a model is written. */
export interface WriteOptions {
  readonly folder: string;
  /** The model's file is `<name>.onnx`. */
  readonly name: string;
  /**
   * Names of the files with weights, for readers that want certain ones: linked files in the order of their first use,
   * then what had to be written. Unless said, files keep their names and the last is `<name>.onnx.data`.
   */
  weightFile?(index: number): string;
  readonly source: WeightSource;
  /**
   * "hard" (the default): weights that can stay where they are do, and their files get a second name beside the model.
   * "copy": the folder needs nothing from outside.
   */
  readonly link?: "hard" | "copy";
  /** Share of a file's bytes that the model must use for the file to be linked; weights of others are written. 0 unless said. */
  readonly leastUsed?: number;
  /** False where whoever called sees to it that the files are on the disk before anybody counts on them. True unless said. */
  readonly sync?: boolean;
  readonly signal?: AbortSignal;
  /** In bytes of those that have to be written. */
  progress?(done: number, total: number): void;
}

/** A file of the result. `origin` is there when it is another name of a checkpoint's own file. */
export interface WrittenFile {
  readonly path: string; // relative to the folder
  readonly bytes: number;
  readonly origin?: string;
}

export interface WrittenOnnx {
  readonly files: readonly WrittenFile[];
  readonly bytesWritten: number;
  /** Weights that were not written, because they stay in the checkpoint's files. */
  readonly bytesReferenced: number;
  /** What a user should know: why something was copied that was meant to be linked. */
  readonly notes: readonly string[];
}

/**
 * Writes a model: `<name>.onnx`, weights by reference wherever their stored bytes are what the model wants, everything
 * else streamed into one data file. Files appear under their names only when they are whole; the model comes last.
 */
export async function writeOnnx(model: OnnxModel, options: WriteOptions): Promise<WrittenOnnx> {
  const { folder, name, source, sync = true, signal } = options;
  signal?.throwIfAborted();
  await makeFolder(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST")
      throw new ExportError("write-failed", "a file is there; choose a folder to write to", { file: folder });
    throw writeError(error, folder);
  });

  const weights = model.initializers.filter((initializer) => "weight" in initializer);
  const spans = (options.link ?? "hard") === "hard" ? locateAll(weights, source) : new Map<string, Span>();
  // An older model of that name must not be found beside newer data if this ends half way. Links under names that are given
  // replace what has them; others leave what is there, and the older model whole until there is a new one to write.
  const removeOlder = () => rm(join(folder, `${name}.onnx`), { force: true });
  if (options.weightFile) await removeOlder();
  const links = await linkAll(spans, options);
  const dataName = options.weightFile?.(links.files.length) ?? `${name}.onnx.data`;
  const layout = layOut(model.initializers, links.placed, dataName);
  const bytes = encodeModel(model, layout.placed);
  await removeOlder();

  const written: WrittenFile[] = [];
  const notes = [...links.notes];
  if (layout.bytes > 0) {
    await using file = await DurableFile.create(join(folder, dataName), { sync });
    notes.push(...(await writePieces(layout, file, source, options)));
    await file.finish();
    written.push({ path: dataName, bytes: layout.bytes });
  }
  await writeDurably(join(folder, `${name}.onnx`), bytes, { sync });
  written.push({ path: `${name}.onnx`, bytes: bytes.length });

  return {
    files: [...links.files, ...written],
    bytesWritten: written.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesReferenced: referencedBytes(links.placed),
    notes,
  };
}

function locateAll(weights: readonly WeightInitializer[], source: WeightSource): Map<string, Span> {
  const spans = new Map<string, Span>();
  for (const initializer of weights) {
    const span = locate(initializer.weight, source, packingOf(initializer));
    if (span?.length === byteLength(initializer)) spans.set(initializer.name, span);
  }
  return spans;
}

async function linkAll(spans: ReadonlyMap<string, Span>, { folder, weightFile, leastUsed = 0 }: WriteOptions) {
  const placed = new Map<string, ExternalData>();
  const files: WrittenFile[] = [];
  const notes: string[] = [];
  for (const origin of new Set([...spans.values()].map(({ file }) => file))) {
    if (leastUsed > 0 && (await shareUsed(origin, spans)) < leastUsed) continue;
    const linked = await linkFile(origin, folder, weightFile?.(files.length));
    if ("refused" in linked) {
      notes.push(`${origin} was copied instead of linked: ${linked.refused}`);
      continue;
    }
    if (weightFile === undefined && linked.path !== basename(origin))
      notes.push(`${join(folder, basename(origin))} is not this checkpoint's file; its weights are in ${linked.path}`);
    files.push({ path: linked.path, bytes: (await stat(origin)).size, origin: linked.origin });
    for (const [name, { file, offset, length }] of spans)
      if (file === origin) placed.set(name, { location: linked.path, offset, length });
  }
  return { placed, files, notes };
}

/** How much of a file is weights that can stay in it. One that isn't on this machine can't be linked anyway. */
async function shareUsed(origin: string, spans: ReadonlyMap<string, Span>): Promise<number> {
  const { size } = await stat(origin).catch(() => ({ size: 0 }));
  const own = [...spans.values()].filter(({ file }) => file === origin);
  return distinctBytes(own.map(({ offset, length }) => [`${offset}`, length])) / size;
}

function referencedBytes(placed: ReadonlyMap<string, ExternalData>): number {
  return distinctBytes([...placed.values()].map(({ location, offset, length }) => [`${location}:${offset}`, length]));
}

/** Tied weights count once. */
function distinctBytes(stretches: readonly (readonly [place: string, length: number])[]): number {
  return [...new Map(stretches).values()].reduce((sum, length) => sum + length, 0);
}
