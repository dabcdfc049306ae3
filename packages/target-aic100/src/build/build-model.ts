import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Graph, parseGraph } from "@llm/core-ir";
import { type OnnxModel, toOnnx, type WriteOptions, type WrittenOnnx, writeOnnx } from "@llm/exporter";
import type { Unit, Work } from "@llm/target";
import { overrideIndices } from "../emulator/override-indices.ts";
import { cachesOf, INTERNAL_RETAINED } from "../graph/form.ts";
import { blockFunctions } from "../onnx/block-functions.ts";
import { clipWideWeights } from "../onnx/clip-wide-weights.ts";
import { aic } from "../onnx/dialect.ts";
import { aicEmitters } from "../onnx/emitters.ts";
import { FUNCTIONS } from "../onnx/functions.ts";
import { EMULATOR_FILE, MODEL_FILE, MODEL_NAME, type ModelSpec, PROGRAM_FILE } from "./units.ts";

/** Writes down what models that share layers tell one another. */
export async function buildProgram({ spec }: Unit, { folder }: Work): Promise<void> {
  await writeFile(join(folder, PROGRAM_FILE), `${JSON.stringify(spec)}\n`);
}

/** Writes the model. Weights that lie in the checkpoint as the graph wants them stay there. */
export async function buildModel(unit: Unit, work: Work): Promise<void> {
  const { graph, emulate, ...spec } = unit.spec as unknown as ModelSpec;
  const written = await writeCardModel(parseGraph(graph), spec, {
    folder: work.folder,
    name: MODEL_NAME,
    source: work.source,
    sync: false, // the engine flushes what a unit made
    signal: work.signal,
    progress: (done, total) => work.progress(done, total),
  });
  for (const { path, origin } of written.files) if (origin !== undefined) work.linked(path, origin);
  for (const note of written.notes) work.progress(written.bytesWritten, written.bytesWritten, note);
  if (!emulate) return;
  const bytes = await readFile(join(work.folder, MODEL_FILE));
  await writeFile(join(work.folder, EMULATOR_FILE), overrideIndices(bytes));
}

/** How a graph for the card is written. */
export interface CardModelOptions {
  readonly opset: number;
  /** Blocks as functions of the file. */
  readonly subFunctions: boolean;
}

/**
 * A graph for the card as files. Weights that overflow fp16 are clipped to its range: where they are made halves of, or with
 * `clip` by the model, because the compiler makes them so.
 */
export async function writeCardModel(
  graph: Graph,
  { clip, ...options }: CardModelOptions & { readonly clip: boolean },
  write: WriteOptions,
): Promise<WrittenOnnx> {
  const model = cardModel(graph, options);
  return writeOnnx(clip ? await clipWideWeights(model, write.source, write.signal) : model, write);
}

/** A graph for the card as ONNX, with the functions that it calls. */
export function cardModel(graph: Graph, { opset, subFunctions }: CardModelOptions): OnnxModel {
  const functions = Object.entries(FUNCTIONS).flatMap(([name, make]) =>
    graph.ops.some(({ kind }) => kind === name) ? [make(opset)] : [],
  );
  const domains = new Set(functions.map(({ domain }) => domain));
  const model = toOnnx(graph, {
    opset,
    dialects: [aic],
    emitters: aicEmitters,
    domains: Object.fromEntries([...domains].map((domain) => [domain, 1])),
    functions,
    names: subFunctions ? internalNames(graph) : {},
  });
  return subFunctions ? blockFunctions(model, graph) : model;
}

/** Where blocks are functions, the caches that they keep go by another name: the compiler looks for it. */
function internalNames(graph: Graph): Readonly<Record<string, string>> {
  return Object.fromEntries(cachesOf(graph).map(({ value, next }) => [next.id, value.id + INTERNAL_RETAINED]));
}
