import { access, constants } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { Finding, Host } from "@llm/target";
import { makeFolder } from "@llm/tensor/files";
import { artefactCache, hubCache } from "./places.ts";
import { findTarget, surveyTargets } from "./targets.ts";

/** A finding and what it is about: the machine, or one target. */
export interface Diagnosis extends Finding {
  readonly target: string; // "machine", or a target's id
}

export interface DiagnoseOptions {
  /** Only this target; else every one that is installed. */
  readonly target?: string;
  readonly cacheDir?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The oldest Node that has what the packages use: `Float16Array`. */
const NODE = 24;

/**
 * What works on this machine, what is missing and how to get it.
 *
 * @example
 * const missing = (await diagnose()).filter(({ state }) => state === "missing");
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<readonly Diagnosis[]> {
  const env = options.env ?? process.env;
  const { targets, broken } =
    options.target === undefined ? await surveyTargets() : { targets: [await findTarget(options.target)], broken: [] };
  const host = hostOf(env);
  const machine = [nodeFinding(), machineFinding()];
  machine.push(await folderFinding("downloads", options.cacheDir ?? hubCache(env)));
  machine.push(await folderFinding("artefacts", artefactCache(env)));
  const found = machine.map((finding): Diagnosis => ({ target: "machine", ...finding }));
  for (const { id, target } of targets)
    for (const finding of await target.doctor(host)) found.push({ target: id, ...finding });
  for (const { id, reason } of broken)
    found.push({ target: id, name: "package", state: "missing", detail: reason, fix: `npm install @llm/target-${id}` });
  if (targets.length === 0)
    found.push({
      target: "machine",
      name: "targets",
      state: "missing",
      detail: "no target is installed",
      fix: "npm install @llm/target-cpu",
    });
  return found;
}

export interface InstallTargetOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Told what happens, a line each. */
  report?(line: string): void;
}

/** Fetches what a target needs and can be fetched; one that needs nothing says so. `diagnose` tells afterwards what is there. */
export async function installFor(
  id: string,
  { env = process.env, report = () => {} }: InstallTargetOptions = {},
): Promise<void> {
  const { target, title } = await findTarget(id);
  const host = hostOf(env);
  if (target.install) await target.install(host, report);
  else report(`${title} needs nothing that could be installed from here`);
}

/** Compiles what a target runs through where only the user may: against a vendor's own header. */
export async function buildRuntimeFor(
  id: string,
  { env = process.env, report = () => {} }: InstallTargetOptions = {},
): Promise<void> {
  const { target, title } = await findTarget(id);
  const host = hostOf(env);
  if (target.buildRuntime) await target.buildRuntime(host, report);
  else report(`${title} needs nothing that is compiled here`);
}

/** This machine, as targets may ask about it. */
export function hostOf(env: Host["env"] = process.env): Host {
  return { platform: process.platform, arch: process.arch, env };
}

function nodeFinding(): Finding {
  const detail = `Node ${process.versions.node}, ${process.platform}-${process.arch}`;
  if (Number(process.versions.node.split(".")[0]) >= NODE) return { name: "node", state: "ok", detail };
  return { name: "node", state: "missing", detail, fix: `install Node ${NODE} or newer` };
}

function machineFinding(): Finding {
  const cores = availableParallelism();
  const detail = `${(totalmem() / 1e9).toFixed(1)} GB, ${cores} ${cores === 1 ? "core" : "cores"}`;
  return { name: "machine", state: "ok", detail };
}

async function folderFinding(name: string, folder: string): Promise<Finding> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    return { name, state: "ok", detail: folder };
  } catch {
    return {
      name,
      state: "warning",
      detail: `${folder} can't be written to`,
      fix: "make it writable, or name another folder",
    };
  }
}
