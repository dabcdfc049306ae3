import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import type { Artefact } from "../artefact.ts";
import type { Target } from "../target.ts";
import type { BuildRequest } from "./build-artefact.ts";
import { localExecutor } from "./executor.ts";
import { explainDisk, filesBelow } from "./files.ts";
import { unitKeys } from "./keys.ts";
import { manifestOf } from "./manifest-of.ts";
import { orderUnits, placeOf } from "./order.ts";
import { toolVersions } from "./tool-versions.ts";

/** `folder` is there, empty, and the caller's to remove. */
export type TrialRequest<O> = Pick<
  BuildRequest<O>,
  "target" | "program" | "options" | "source" | "model" | "folder" | "tools" | "onEvent" | "signal"
>;

/**
 * Makes a program's units, one after another, for an artefact that is looked at and thrown away: nothing is kept for another
 * time, hashed or waited for until the disk has it. Its manifest is nowhere written and names no files.
 */
export async function buildTrial<O>(request: TrialRequest<O>): Promise<Artefact> {
  const { target, program, options, source, folder, onEvent = () => {} } = request;
  const { signal = new AbortController().signal } = request;
  const ordered = orderUnits(target.units(program, options));
  const tools = request.tools ?? toolVersions(target, ordered);
  const keys = unitKeys(ordered, { target: target.id, tools, source: source.fingerprint });
  const folders = new Map<string, string>();
  const units: Artefact["manifest"]["units"][number][] = [];
  onEvent({ kind: "planned", units: ordered.length, cached: 0 });
  try {
    for (const unit of ordered) {
      signal.throwIfAborted();
      const { id } = unit;
      const own = join(folder, `.unit-${units.length}`);
      await mkdir(own);
      onEvent({ kind: "started", unit: id, attempt: 1 });
      const began = performance.now();
      const { peakRssBytes, peakDiskBytes } = await localExecutor.run({
        target: target as Target,
        unit,
        folder: own,
        inputs: folders,
        source,
        signal,
        progress: (done, total, note) =>
          onEvent({ kind: "progress", unit: id, done, total, ...(note === undefined ? {} : { note }) }),
      });
      const seconds = (performance.now() - began) / 1000;
      folders.set(id, own);
      units.push({ id, key: keys.get(id)!, seconds, peakRssBytes, peakDiskBytes });
      onEvent({ kind: "finished", unit: id, cached: false, seconds, peakRssBytes, peakDiskBytes });
    }
    // Not before all of them are done: later ones may read what earlier ones made.
    for (const unit of ordered) {
      const place = placeOf(unit);
      if (place !== undefined) await moveFiles(folders.get(unit.id)!, join(folder, place));
    }
  } catch (error) {
    throw explainDisk(error, folder);
  }
  return { folder, manifest: manifestOf({ ...request, tools }, { units, files: [] }) };
}

async function moveFiles(from: string, to: string): Promise<void> {
  for (const path of await filesBelow(from)) {
    await makeFolder(dirname(join(to, path)));
    await rename(join(from, path), join(to, path));
  }
}
