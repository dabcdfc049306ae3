import { stat, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import type { Program } from "@llm/core-ir";
import type { WeightSource } from "@llm/tensor";
import type { Artefact, ModelCard } from "../artefact.ts";
import { TargetError } from "../error.ts";
import type { Target, ToolVersions, Unit } from "../target.ts";
import { assemble } from "./assemble.ts";
import type { BuildEvent } from "./events.ts";
import { type Executor, localExecutor } from "./executor.ts";
import { explainDisk } from "./files.ts";
import { unitKeys } from "./keys.ts";
import { availableMemory } from "./memory.ts";
import { orderUnits } from "./order.ts";
import { type Capacity, runUnits } from "./run-units.ts";
import { toolVersions } from "./tool-versions.ts";
import { type CachedUnit, UnitCache } from "./unit-cache.ts";

export interface BuildRequest<O> {
  readonly target: Target<O>;
  readonly program: Program;
  readonly options: O;
  readonly source: WeightSource;
  readonly model: ModelCard;
  /** Where the artefact goes. */
  readonly folder: string;
  /** Where finished units are kept; on the artefact's file system, else bytes are copied. */
  readonly cacheDir: string;
  /** Versions of the tools that units name in their needs, part of their keys; the target is asked unless said. */
  readonly tools?: ToolVersions;
  readonly executor?: Executor;
  /** What units may use together; by default this machine's cores and free memory. */
  readonly capacity?: Partial<Capacity>;
  /** How often a unit is tried again after a failure that isn't its own (a worker gone, a compiler killed). */
  readonly retries?: number;
  readonly onEvent?: (event: BuildEvent) => void;
  readonly signal?: AbortSignal;
}

/** One unit in the report of a build. */
export interface BuiltUnit {
  readonly id: string;
  readonly cached: boolean;
  readonly seconds: number; // what it took when it was made
  readonly peakRssBytes: number;
  readonly peakDiskBytes?: number; // most that its folder held at once; absent where it was made before that was measured
}

export interface BuildResult {
  readonly artefact: Artefact;
  readonly units: readonly BuiltUnit[];
}

/**
 * Makes all units of a program, skipping those that were made before from the same things, and puts their files into a
 * folder with a manifest. Killed at any point, the next run goes on where this one was.
 */
export async function buildArtefact<O>(request: BuildRequest<O>): Promise<BuildResult> {
  const { target, program, options, source, onEvent = () => {}, signal = new AbortController().signal } = request;
  const folder = resolve(request.folder);
  const ordered = orderUnits(target.units(program, options));
  const tools = request.tools ?? toolVersions(target, ordered);
  const keys = unitKeys(ordered, { target: target.id, tools, source: source.fingerprint });
  const cache = new UnitCache(resolve(request.cacheDir));
  const finished = new Map<string, CachedUnit>();
  const report = new Map<string, BuiltUnit>();
  try {
    await cache.sweep();
    for (const unit of ordered) {
      const found = await cache.find(keys.get(unit.id)!);
      if (found) finished.set(unit.id, found);
    }
    onEvent({ kind: "planned", units: ordered.length, cached: finished.size });

    const makeUnit = async (unit: Unit): Promise<void> => {
      let made = finished.get(unit.id);
      const cached = made !== undefined;
      made ??= await makeOne(request, unit, keys.get(unit.id)!, cache, finished, signal);
      finished.set(unit.id, made);
      const { seconds, peakRssBytes, peakDiskBytes } = made;
      report.set(unit.id, { id: unit.id, cached, seconds, peakRssBytes, peakDiskBytes });
      onEvent({ kind: "finished", unit: unit.id, cached, seconds, peakRssBytes, peakDiskBytes });
    };
    await runUnits(ordered, { ...machine(), ...request.capacity }, makeUnit, signal);

    const artefact = await assemble({ request: { ...request, tools }, folder, ordered, keys, finished, onEvent });
    onEvent({ kind: "assembled", folder });
    return { artefact, units: ordered.map(({ id }) => report.get(id)!) };
  } catch (error) {
    throw explainDisk(error, folder);
  }
}

async function makeOne<O>(
  { target, source, executor = localExecutor, retries = 0, onEvent = () => {} }: BuildRequest<O>,
  unit: Unit,
  key: string,
  cache: UnitCache,
  finished: ReadonlyMap<string, CachedUnit>,
  signal: AbortSignal,
): Promise<CachedUnit> {
  const inputs = new Map(unit.after.map((id) => [id, finished.get(id)!.folder]));
  await checkRoom(unit, cache.root);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    onEvent({ kind: "started", unit: unit.id, attempt });
    try {
      return await cache.make(key, unit, (folder) =>
        executor.run({
          target: target as Target,
          unit,
          folder,
          inputs,
          source,
          signal,
          progress: (done, total, note) =>
            onEvent({ kind: "progress", unit: unit.id, done, total, ...(note === undefined ? {} : { note }) }),
        }),
      );
    } catch (error) {
      const final = signal.aborted || TargetError.isInstance(error) || explainDisk(error, "") !== error;
      if (final || attempt > retries) throw named(unit, error);
      onEvent({ kind: "retrying", unit: unit.id, attempt, reason: firstLine(error) });
    }
  }
}

/** Errors that already name their trouble pass; anything else says which unit it came from. */
function named(unit: Unit, error: unknown): unknown {
  const known = error instanceof Error && (error.name === "AbortError" || "code" in error);
  if (known || !(error instanceof Error)) return error;
  return new TargetError("unit-failed", `unit ${unit.id}: ${firstLine(error)}`, { cause: error });
}

/** A unit that can't have its disk space fails before hours of work, not after. */
async function checkRoom(unit: Unit, root: string): Promise<void> {
  if (unit.needs.diskBytes <= 0) return;
  let folder = root;
  while (!(await stat(folder).catch(() => undefined)) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < unit.needs.diskBytes)
    throw new TargetError(
      "disk-full",
      `unit ${unit.id} needs ${gigabytes(unit.needs.diskBytes)} below ${root}, where ${gigabytes(free)} are free`,
    );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function machine(): Capacity {
  return { cores: availableParallelism(), ramBytes: availableMemory() };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0]!;
}
