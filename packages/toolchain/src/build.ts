import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { corePasses, type Program, programOf, runPipeline } from "@llm/core-ir";
import type { Artefact, Target, ToolVersions, Unit } from "@llm/target";
import {
  type BuildEvent,
  type BuiltUnit,
  buildArtefact,
  openArtefact,
  orderUnits,
  toolVersions,
  unitKeys,
} from "@llm/target/engine";
import { withModelFiles } from "./model-files.ts";
import type { Model } from "./open-model.ts";
import { artefactCache, scratchFolder, unitCache, writableFolder } from "./places.ts";
import { chosenOptions } from "./target-options.ts";

/** A model made ready for a target: all that is decided before anything is written. */
export interface Prepared<O = unknown> {
  readonly model: Model;
  /** The target, its artefacts complete with the checkpoint's small files. */
  readonly target: Target<O>;
  readonly options: O;
  /** What was chosen where the user said nothing, a line each. */
  readonly notes: readonly string[];
  readonly program: Program;
  readonly units: readonly Unit[];
  /** Versions of the programs that units need. */
  readonly tools: ToolVersions;
  /** Equal for equal results: a hash of every unit's content key. */
  readonly key: string;
}

/** Runs a target's pipeline over a model's graph, and asks for its units. Nothing is written. */
export async function prepare<O>(
  model: Model,
  target: Target<O>,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Prepared<O>> {
  const complete = await withModelFiles(target, model.checkpoint);
  const { options, notes } = chosenOptions(complete, model, { ...named(complete, model.name), ...given });
  const program = runPipeline(programOf(model.graph), complete.pipeline(model.graph, options), {
    passes: [...corePasses, ...(complete.passes ?? [])],
    dialects: complete.dialects,
  });
  const units = orderUnits(complete.units(program, options));
  const tools = toolVersions(complete, units);
  const keys = unitKeys(units, { target: complete.id, tools, source: model.weights.fingerprint });
  const key = createHash("sha256")
    .update([...keys].sort().join("\n"))
    .digest("hex");
  return { model, target: complete, options, notes, program, units, tools, key };
}

/** A target whose files are called after the model is told its name: the last part of a hub id. */
function named<O>(target: Target<O>, model: string): { readonly name?: string } {
  return Object.hasOwn(target.options, "name") ? { name: model.split("/").at(-1)!.replaceAll(":", "-") } : {};
}

export interface BuildOptions {
  /** Where the artefact goes; a folder in the cache, named for its key, unless said. */
  readonly folder?: string;
  /** Make everything again, whatever is there. */
  readonly force?: boolean;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  onEvent?(event: BuildEvent): void;
}

/** An artefact, and what was done for it. */
export interface Built {
  readonly artefact: Artefact;
  readonly units: readonly BuiltUnit[];
  /** It was there already, made from the same things. */
  readonly upToDate: boolean;
  readonly seconds: number;
}

/** Makes the artefact of a prepared model, or finds it made. */
export async function build<O>(prepared: Prepared<O>, options: BuildOptions = {}): Promise<Built> {
  const began = performance.now();
  const { model, target, program, key } = prepared;
  const folder = options.folder ?? defaultFolder(prepared, options.env);
  const seconds = () => (performance.now() - began) / 1000;
  if (!options.force && options.folder === undefined) {
    const artefact = await openArtefact(folder).catch(() => undefined); // damaged or absent: it is made again
    if (artefact)
      return {
        artefact,
        units: artefact.manifest.units.map((unit) => ({ ...unit, cached: true })),
        upToDate: true,
        seconds: seconds(),
      };
  }
  await writableFolder(unitCache(options.env));
  if (options.folder !== undefined)
    await writableFolder(dirname(resolve(folder)), "choose another folder to write to (--out)");
  // Nobody else's work is in the cache: what lies there and is no artefact any more gives way.
  else await dropBroken(folder);
  const cacheDir = options.force
    ? join(unitCache(options.env), `forced-${key.slice(0, 16)}-${process.pid}`)
    : unitCache(options.env);
  try {
    const { artefact, units } = await buildArtefact({
      target,
      program,
      options: prepared.options,
      tools: prepared.tools,
      source: model.weights,
      model: model.card,
      folder,
      cacheDir,
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.onEvent ? { onEvent: options.onEvent } : {}),
    });
    return { artefact, units, upToDate: units.every(({ cached }) => cached), seconds: seconds() };
  } finally {
    if (options.force) await rm(cacheDir, { recursive: true, force: true });
  }
}

/** Where nothing lies yet, somebody else may be about to put a finished artefact: only what was seen to be broken goes. */
async function dropBroken(folder: string): Promise<void> {
  if (!existsSync(folder) || (await isWhole(folder))) return;
  await rm(folder, { recursive: true, force: true });
}

function isWhole(folder: string): Promise<boolean> {
  return openArtefact(folder).then(
    () => true,
    () => false,
  );
}

/** Only what has to be there before a compiler runs; the compiled artefact is made of the same units later. */
export async function buildExports<O>(prepared: Prepared<O>, options: BuildOptions = {}): Promise<Built> {
  const { target, units } = prepared;
  const exports = units.filter(({ stage }) => stage === "export");
  const scratch = await mkdtemp(join(await scratchFolder(options.env), "exports-"));
  try {
    const only = { ...prepared, target: { ...target, units: () => exports } };
    const { force: _, ...rest } = options; // units that are forced would not be found again by the compiler's turn
    return await build(only, { ...rest, folder: join(scratch, "artefact") });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** `<cache>/llm/artefacts/<model>-<target>-<key>`: readable, and as unique as the key. */
function defaultFolder({ model, target, key }: Prepared<never> | Prepared, env?: BuildOptions["env"]): string {
  const name = model.name.replaceAll(/[^\w.-]+/g, "--");
  return join(artefactCache(env), `${name}-${target.id}-${key.slice(0, 16)}`);
}
