import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { corePasses, type Graph, type Net, programOf, runPipeline } from "@llm/core-ir";
import {
  exportTransformersJs,
  genaiConfig,
  halfPrecision,
  storageOf,
  type TransformersJsDtype,
  toOnnx,
  transformersInterface,
  type WrittenOnnx,
  writeOnnx,
} from "@llm/exporter";
import { makeFolder } from "@llm/tensor/files";
import { blockNets } from "./block-nets.ts";
import { ToolchainError } from "./error.ts";
import type { ExportReport } from "./export-model.ts";
import { generationDefaults } from "./generation-defaults.ts";
import { modelFiles } from "./model-files.ts";
import { onnxMetadata, packageVersion } from "./onnx-metadata.ts";
import type { Model } from "./open-model.ts";
import { sampleMemory } from "./peak-memory.ts";
import { tokenizerOf } from "./tokenizer.ts";

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
  /** A file for each block and head instead of one for all: see `blockNets`. */
  readonly perBlock?: boolean;
  /** Also write `genai_config.json`, with which onnxruntime-genai runs the model; of the first precision. */
  readonly genai?: boolean;
  /** Sizes that are otherwise open until a call, by name: `{ batch_size: 1, sequence_length: 128 }`. */
  readonly sizes?: Readonly<Record<string, number>>;
}

/**
 * Exports a model as standard ONNX: whole, with the inputs and outputs that transformers and its relatives know, or block by
 * block.
 */
export async function exportOnnx(model: Model, options: OnnxOptions): Promise<ExportReport> {
  const { name = "model", kv = true, saveFp32Onnx = true, saveFp16Onnx = false, perBlock = false } = options;
  if (!saveFp32Onnx && !saveFp16Onnx)
    throw new ToolchainError("option-invalid", "neither fp32 nor fp16 is to be saved; leave one of them on");
  if (options.genai && (perBlock || !kv || options.sizes))
    throw new ToolchainError(
      "option-invalid",
      "onnxruntime-genai runs whole models with a cache and open sizes, and no others",
    );
  return reported(options, async (folder) => {
    const said = { producerVersion: packageVersion(), metadata: await onnxMetadata(model) };
    const written: WrittenOnnx[] = [];
    const write = async (graph: Graph, file: string) => {
      const onnx = toOnnx(graph, { ...said, storage: storageOf(graph, model.weights) });
      written.push(await writeOnnx(onnx, { ...common(model, options), folder, name: file }));
    };
    const small = new Map(await modelFiles(model.checkpoint));
    for (const half of [...(saveFp32Onnx ? [false] : []), ...(saveFp16Onnx ? [true] : [])]) {
      const decoder = half ? halfPrecision(model.graph) : model.graph;
      const suffix = half ? "_fp16" : "";
      const nets = perBlock
        ? blockNets(decoder, { cache: kv })
        : [{ id: name, graph: transformersInterface(decoder, { cache: kv }) }];
      if (options.genai && !small.has(GENAI_CONFIG))
        small.set(GENAI_CONFIG, await genaiFile(model, nets[0]!.graph, `${name}${suffix}.onnx`));
      for (const { id, graph } of withSizes(nets, options.sizes)) await write(graph, `${id}${suffix}`);
    }
    for (const [file, bytes] of small) await writeBeside(folder, file, bytes);
    const beside = [...small].map(([path, { length }]) => ({ path, bytes: length }));
    const linked = written.some(({ files }) => files.some(({ origin }) => origin !== undefined));
    const notes = linked ? [HARD_LINKS] : [];
    return merged([...written, { files: beside, bytesWritten: sum(beside), bytesReferenced: 0, notes }]);
  });
}

const HARD_LINKS =
  "weights are links to the checkpoint's own files, which onnx's checker refuses since its version 1.21; --copy writes them";

/** The same nets with some sizes decided: nothing computes with those when they run. */
function withSizes(nets: readonly Net[], sizes: OnnxOptions["sizes"]): readonly Net[] {
  if (!sizes) return nets;
  const open = new Set(nets.flatMap(({ graph }) => sizesOfInputs(graph)));
  const unknown = Object.keys(sizes).find((size) => !open.has(size));
  if (unknown !== undefined)
    throw new ToolchainError("option-invalid", `no size is called ${unknown}; these are open: ${[...open].join(", ")}`);
  for (const { graph } of nets)
    for (const [name, size] of Object.entries(sizes)) {
      const { min = size, max = size } = graph.dims[name] ?? {};
      if (size < min || size > max)
        throw new ToolchainError("option-invalid", `${name} is from ${min} to ${max}, not ${size}`);
    }
  return nets.map((net) => {
    const own = Object.fromEntries(Object.entries(sizes).filter(([size]) => Object.hasOwn(net.graph.dims, size)));
    const steps = [{ pass: "specialise", params: { sizes: own } }];
    return { ...net, graph: runPipeline(programOf(net.graph), steps, { passes: corePasses }).nets[0]!.graph };
  });
}

/** Sizes that whoever runs the model decides; a graph knows others, which follow from them. */
function sizesOfInputs({ inputs, dims }: Graph): readonly string[] {
  const said = new Set(inputs.flatMap(({ type }) => type.shape.flatMap((size) => String(size).split(/\W+/))));
  return Object.keys(dims).filter((name) => said.has(name));
}

const GENAI_CONFIG = "genai_config.json";

async function genaiFile({ checkpoint, card }: Model, graph: Graph, filename: string): Promise<Uint8Array> {
  const tokenizer = await tokenizerOf(checkpoint);
  const defaults = generationDefaults(checkpoint.generationConfig, checkpoint.config);
  const { eosTokenId = tokenizer.eosTokenId ?? [] } = defaults;
  const eos = [eosTokenId].flat();
  if (eos.length === 0)
    throw new ToolchainError(
      "tokenizer-missing",
      `${checkpoint.path}: says nowhere which token ends a text, which onnxruntime-genai must know`,
    );
  const { bosTokenId: bos, padTokenId: pad } = tokenizer;
  const config = genaiConfig({
    filename,
    graph,
    context: card.context,
    eos,
    ...(bos === undefined ? {} : { bos }),
    ...(pad === undefined ? {} : { pad }),
  });
  return new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`);
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
    const said = { producerVersion: packageVersion(), metadata: await onnxMetadata(model) };
    const asked = { config: model.checkpoint.config, files, ...said, ...(dtypes ? { dtypes } : {}) };
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

/** A checkpoint's file that several models link to is one file; what they take of it can't be more than there is. */
function merged(parts: readonly WrittenOnnx[]): WrittenOnnx {
  const files = new Map(parts.flatMap((part) => part.files.map((file) => [file.path, file] as const)));
  const linked = sum([...files.values()].filter(({ origin }) => origin !== undefined));
  return {
    files: [...files.values()],
    bytesWritten: parts.reduce((total, { bytesWritten }) => total + bytesWritten, 0),
    bytesReferenced: Math.min(
      linked,
      parts.reduce((total, { bytesReferenced }) => total + bytesReferenced, 0),
    ),
    notes: [...new Set(parts.flatMap(({ notes }) => notes))],
  };
}

async function writeBeside(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = join(folder, name);
  try {
    await makeFolder(dirname(path));
    await writeFile(path, bytes);
  } catch (error) {
    const { message } = error as Error;
    throw new ToolchainError("write-failed", `${path}: could not be written: ${message}`, { cause: error });
  }
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
