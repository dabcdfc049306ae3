import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  exportTransformersJs,
  halfPrecision,
  storageOf,
  type TransformersJsDtype,
  toOnnx,
  transformersInterface,
  type WrittenOnnx,
  writeOnnx,
} from "@llm/exporter";
import { ToolchainError } from "./error.ts";
import type { ExportReport } from "./export-model.ts";
import { modelFiles } from "./model-files.ts";
import type { Model } from "./open-model.ts";
import { sampleMemory } from "./peak-memory.ts";

export interface PortableOptions {
  readonly folder: string;
  /** Bring the weights along instead of linking to the checkpoint's own files. */
  readonly copy?: boolean;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface OnnxOptions extends PortableOptions {
  /** The model's part of file names: `<name>.onnx`, `<name>_fp16.onnx`. */
  readonly name?: string;
  /** With keys and values of earlier tokens as inputs and outputs; without, every call is the whole text. */
  readonly kv?: boolean;
  readonly saveFp32Onnx?: boolean; // true
  readonly saveFp16Onnx?: boolean; // false
}

/** Exports a model as standard ONNX with the inputs and outputs that transformers and its relatives know. */
export async function exportOnnx(model: Model, options: OnnxOptions): Promise<ExportReport> {
  const { name = "model", kv = true, saveFp32Onnx = true, saveFp16Onnx = false } = options;
  if (!saveFp32Onnx && !saveFp16Onnx)
    throw new ToolchainError("option-invalid", "neither fp32 nor fp16 is to be saved; leave one of them on");
  return reported(options, async (folder) => {
    const written: WrittenOnnx[] = [];
    for (const half of [...(saveFp32Onnx ? [false] : []), ...(saveFp16Onnx ? [true] : [])]) {
      const graph = transformersInterface(half ? halfPrecision(model.graph) : model.graph, { cache: kv });
      const onnx = toOnnx(graph, { storage: storageOf(graph, model.weights) });
      written.push(await writeOnnx(onnx, { ...common(model, options), folder, name: half ? `${name}_fp16` : name }));
    }
    const small = await modelFiles(model.checkpoint);
    for (const [file, bytes] of small) await writeBeside(folder, file, bytes);
    const beside = [...small].map(([path, { length }]) => ({ path, bytes: length }));
    return merged([...written, { files: beside, bytesWritten: sum(beside), bytesReferenced: 0, notes: [] }]);
  });
}

export interface JsOptions extends PortableOptions {
  /** Precisions by transformers.js's own names; the first is the one it takes unless told otherwise. */
  readonly dtypes?: readonly TransformersJsDtype[];
}

/** Exports a model as a folder that transformers.js loads. */
export async function exportForTransformersJs(model: Model, options: JsOptions): Promise<ExportReport> {
  const { dtypes } = options;
  return reported(options, async (folder) => {
    const { "config.json": _, ...files } = Object.fromEntries(await modelFiles(model.checkpoint));
    const asked = { config: model.checkpoint.config, files, ...(dtypes ? { dtypes } : {}) };
    return exportTransformersJs(model.graph, { ...common(model, options), folder, ...asked });
  });
}

function common(model: Model, { copy, signal, onProgress }: PortableOptions) {
  return {
    source: model.weights,
    link: copy ? "copy" : "hard",
    ...(signal ? { signal } : {}),
    ...(onProgress ? { progress: onProgress } : {}),
  } as const;
}

async function reported(
  options: PortableOptions,
  write: (folder: string) => Promise<WrittenOnnx>,
): Promise<ExportReport> {
  const began = performance.now();
  const memory = sampleMemory();
  const folder = resolve(options.folder);
  const { files, bytesWritten, bytesReferenced, notes } = await write(folder);
  return {
    folder,
    files: files.map(({ path, bytes, origin }) => ({ path, bytes, linked: origin !== undefined })),
    seconds: (performance.now() - began) / 1000,
    peakRssBytes: memory.stop(),
    bytesWritten,
    bytesReferenced,
    notes,
  };
}

/** A checkpoint's file that several models link to is one file. */
function merged(parts: readonly WrittenOnnx[]): WrittenOnnx {
  const files = new Map(parts.flatMap((part) => part.files.map((file) => [file.path, file] as const)));
  return {
    files: [...files.values()],
    bytesWritten: parts.reduce((total, { bytesWritten }) => total + bytesWritten, 0),
    bytesReferenced: Math.max(...parts.map(({ bytesReferenced }) => bytesReferenced)),
    notes: [...new Set(parts.flatMap(({ notes }) => notes))],
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
