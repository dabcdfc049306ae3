import type { Target } from "@llm/target";
import { type BuildOptions, build, prepare } from "./build.ts";
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
  /** It was made before, of the same things: nothing was written but names. */
  readonly upToDate?: boolean;
}

export interface ExportOptions extends Omit<BuildOptions, "folder"> {
  readonly folder: string;
  readonly targetOptions?: Readonly<Record<string, unknown>>;
}

/** Exports a model for a target: into a finished artefact in `folder`. */
export async function exportModel<O>(model: Model, target: Target<O>, options: ExportOptions): Promise<ExportReport> {
  const memory = sampleMemory();
  const prepared = await prepare(model, exporting(target), options.targetOptions);
  let copied = 0;
  const { artefact, units, seconds, upToDate } = await build(prepared, {
    ...options,
    onEvent: (event) => {
      if (event.kind === "copied") copied += event.bytes;
      options.onEvent?.(event);
    },
  });
  const files = artefact.manifest.files.map((file) => ({ path: file.path, bytes: file.bytes, linked: "link" in file }));
  return {
    folder: artefact.folder,
    files,
    seconds,
    peakRssBytes: Math.max(memory.stop(), ...units.map(({ peakRssBytes }) => peakRssBytes)),
    bytesWritten: upToDate ? copied : sum(files.filter(({ linked }) => !linked)),
    bytesReferenced: sum(files.filter(({ linked }) => linked)),
    notes: [],
    upToDate,
  };
}

/** A target whose compiler doesn't start from ONNX has other units for those who want it. */
function exporting<O>(target: Target<O>): Target<O> {
  return target.exports ? { ...target, units: target.exports } : target;
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
