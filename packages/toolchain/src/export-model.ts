import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { storageOf, toOnnx, transformersInterface, writeOnnx } from "@llm/exporter";
import type { Target } from "@llm/target";
import { type BuildOptions, build, prepare } from "./build.ts";
import { ToolchainError } from "./error.ts";
import { modelFiles } from "./model-files.ts";
import type { Model } from "./open-model.ts";
import { sampleMemory } from "./peak-memory.ts";

/** A file of an export. */
export interface ExportedFile {
  readonly path: string; // relative to the folder
  readonly bytes: number;
  /** It is another name of one of the checkpoint's own files. */
  readonly linked: boolean;
}

export interface ExportReport {
  readonly folder: string;
  readonly files: readonly ExportedFile[];
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly bytesWritten: number;
  /** Of weights that stayed where they were. */
  readonly bytesReferenced: number;
  readonly notes: readonly string[];
}

export interface ExportOptions extends Omit<BuildOptions, "folder"> {
  readonly folder: string;
  readonly targetOptions?: Readonly<Record<string, unknown>>;
}

/** Exports a model for a target: into a finished artefact in `folder`. */
export async function exportModel<O>(model: Model, target: Target<O>, options: ExportOptions): Promise<ExportReport> {
  const memory = sampleMemory();
  const prepared = await prepare(model, target, options.targetOptions);
  const { artefact, units, seconds } = await build(prepared, options);
  const files = artefact.manifest.files.map((file) => ({ path: file.path, bytes: file.bytes, linked: "link" in file }));
  return {
    folder: artefact.folder,
    files,
    seconds,
    peakRssBytes: Math.max(memory.stop(), ...units.map(({ peakRssBytes }) => peakRssBytes)),
    bytesWritten: sum(files.filter(({ linked }) => !linked)),
    bytesReferenced: sum(files.filter(({ linked }) => linked)),
    notes: [],
  };
}

export interface OnnxOptions {
  readonly folder: string;
  /** The model's part of file names: `<name>.onnx`. */
  readonly name?: string;
  /** With keys and values of earlier tokens as inputs and outputs; without, every call is the whole text. */
  readonly kv?: boolean;
  /** Bring the weights along instead of linking to the checkpoint's own files. */
  readonly copy?: boolean;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Exports a model as standard ONNX with the inputs and outputs that transformers and its relatives know. */
export async function exportOnnx(model: Model, options: OnnxOptions): Promise<ExportReport> {
  const began = performance.now();
  const memory = sampleMemory();
  const folder = resolve(options.folder);
  const graph = transformersInterface(model.graph, { cache: options.kv ?? true });
  const written = await writeOnnx(toOnnx(graph, { storage: storageOf(graph, model.weights) }), {
    folder,
    name: options.name ?? "model",
    source: model.weights,
    link: options.copy ? "copy" : "hard",
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.onProgress ? { progress: options.onProgress } : {}),
  });
  const small = await modelFiles(model.checkpoint);
  for (const [name, bytes] of small) await writeBeside(folder, name, bytes);
  return {
    folder,
    files: [
      ...written.files.map(({ path, bytes, origin }) => ({ path, bytes, linked: origin !== undefined })),
      ...[...small].map(([path, { length }]) => ({ path, bytes: length, linked: false })),
    ],
    seconds: (performance.now() - began) / 1000,
    peakRssBytes: memory.stop(),
    bytesWritten: written.bytesWritten + [...small.values()].reduce((total, { length }) => total + length, 0),
    bytesReferenced: written.bytesReferenced,
    notes: written.notes,
  };
}

async function writeBeside(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  await writeFile(join(folder, name), bytes).catch((error: Error) => {
    throw new ToolchainError("write-failed", `${join(folder, name)}: could not be written: ${error.message}`, {
      cause: error,
    });
  });
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
