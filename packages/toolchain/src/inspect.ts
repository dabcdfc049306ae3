import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type CheckpointDescription, openCheckpoint } from "@llm/checkpoint";
import type { Graph } from "@llm/core-ir";
import { type OnnxSummary, readOnnx } from "@llm/exporter";
import type { FileInspection, Manifest, ModelCard } from "@llm/target";
import { readManifest } from "@llm/target/engine";
import { findFinished } from "./find-finished.ts";
import { modelCard } from "./model-card.ts";
import { bindGraph, graphOf, overridesOf } from "./open-model.ts";
import { isPack, unpack } from "./pack/unpack.ts";
import { type ResolveOptions, resolveModel } from "./resolve-model.ts";
import { describeTokenizer, type TokenizerDescription } from "./tokenizer.ts";

/** What a file or folder holds; `kind` says which. */
export type Inspection =
  | ({ readonly kind: "onnx"; readonly path: string } & OnnxSummary)
  | { readonly kind: "artefact"; readonly path: string; readonly manifest: Manifest }
  | ({ readonly kind: "tokenizer"; readonly path: string } & TokenizerDescription)
  | DeviceFileInspection
  | CheckpointInspection;

/** A file that a target knows by itself; `file.kind` says what kind that is. */
export interface DeviceFileInspection {
  readonly kind: "device-file";
  readonly path: string;
  readonly file: FileInspection;
}

export interface CheckpointInspection extends Omit<CheckpointDescription, "kind"> {
  readonly kind: "checkpoint";
  readonly layout: CheckpointDescription["kind"];
  readonly name: string;
  /** What its graph is; absent where none can be built. */
  readonly model?: ModelCard;
  readonly graph?: Graph;
  /** Why no graph can be built, or why the weights don't fit it. */
  readonly problem?: string;
  /** Fields of the config that nothing reads and nobody has called harmless. */
  readonly unread: readonly string[];
}

export interface InspectOptions extends ResolveOptions {
  readonly config?: readonly string[];
}

/** Says what an ONNX file, an exported folder, a tokenizer or a MODEL holds; reads headers only. */
export async function inspect(thing: string, options: InspectOptions = {}): Promise<Inspection> {
  const given = resolve(thing);
  const path = (await isPack(given)) ? await unpack(given) : given;
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile() && path.endsWith(".onnx")) return { kind: "onnx", path, ...readOnnx(path) };
  if (info?.isFile() && path.endsWith(".json")) return { kind: "tokenizer", path, ...(await describeTokenizer(path)) };
  const found = await findFinished(path);
  if (found?.kind === "artefact") return { kind: "artefact", path, manifest: await readManifest(path) };
  if (found?.files.inspect)
    return { kind: "device-file", path: found.file, file: await found.files.inspect(found.file) };
  return inspectCheckpoint(thing, options);
}

async function inspectCheckpoint(thing: string, options: InspectOptions): Promise<CheckpointInspection> {
  const { name, path } = await resolveModel(thing, options);
  const checkpoint = await openCheckpoint(path, { overrides: overridesOf(options.config) });
  try {
    const { kind: layout, ...description } = checkpoint.describe();
    const base = { kind: "checkpoint", layout, ...description, name } as const;
    try {
      const { architecture, graph, unread, harmless } = graphOf(checkpoint);
      const known = { ...base, model: modelCard(name, architecture.id, graph), graph, unread };
      const problem = description.tensors.length === 0 ? undefined : await bindingProblem(graph, harmless, checkpoint);
      return problem === undefined ? known : { ...known, problem };
    } catch (error) {
      // What can't be built can still be looked at: that is what inspecting is for.
      return { ...base, problem: (error as Error).message, unread: [] };
    }
  } finally {
    await checkpoint.close();
  }
}

async function bindingProblem(...args: Parameters<typeof bindGraph>): Promise<string | undefined> {
  try {
    await bindGraph(...args);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
