import { readdirSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { OptionDef, Target } from "@llm/target";
import { ToolchainError } from "./error.ts";

/** A target whose package is installed. */
export interface InstalledTarget {
  readonly id: string;
  readonly title: string;
  readonly package: string;
  readonly version: string;
  readonly options: Readonly<Record<string, OptionDef<unknown>>>;
  readonly target: Target;
}

const SCOPE = "@llm";
const PREFIX = "target-";

/** What is there, and what should be but can't be used. */
export interface TargetSurvey {
  readonly targets: readonly InstalledTarget[];
  readonly broken: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * The targets whose packages can be found from here, from the program that runs and from the working folder, by id. Nobody
 * lists them: a new one is a new package called `@llm/target-<id>`.
 */
export async function installedTargets(bases: readonly string[] = searchBases()): Promise<readonly InstalledTarget[]> {
  return (await surveyTargets(bases)).targets;
}

/** The same, with those that are installed and don't load: one broken package must not take the others with it. */
export async function surveyTargets(bases: readonly string[] = searchBases()): Promise<TargetSurvey> {
  const ids = [...new Set(bases.flatMap(namesAbove))].sort();
  const loaded = await Promise.allSettled(ids.map((id) => load(id, bases)));
  const targets = loaded.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const broken = loaded.flatMap((one, at) =>
    one.status === "rejected" ? [{ id: ids[at]!, reason: String((one.reason as Error).message).split("\n")[0]! }] : [],
  );
  return { targets, broken };
}

/** The target with this id; an error says how to get one that isn't installed. */
export async function findTarget(id: string, bases: readonly string[] = searchBases()): Promise<InstalledTarget> {
  if (id === "null") return nullTarget();
  const found = /^[a-z][a-z0-9-]*$/.test(id) ? await load(id, bases) : undefined;
  if (found) return found;
  if (EXPORTS.has(id))
    throw new ToolchainError(
      "option-invalid",
      `"${id}" is something to export to, not a target that compiles and runs: llm export MODEL --target ${id} --out DIR`,
    );
  if (id === REFERENCE)
    throw new ToolchainError(
      "option-invalid",
      `"${id}" is the plain interpreter, not a target that compiles and runs; llm logits and llm eval take it`,
    );
  const there = (await installedTargets(bases)).map((target) => target.id).join(", ") || "none";
  throw new ToolchainError(
    "target-not-installed",
    `there is no target "${id}" here (installed: ${there}); if it exists, npm install ${SCOPE}/${PREFIX}${id} brings it`,
  );
}

/** What `llm export` writes for other programs to run. */
const EXPORTS: ReadonlySet<string> = new Set(["onnx", "transformersjs"]);

/** What the plain interpreter is called where it stands for a target. */
const REFERENCE = "reference";

/** Folders to look for packages from: this package's, the program's and the user's. */
function searchBases(): readonly string[] {
  const program = process.argv[1];
  const bases = [dirname(fileURLToPath(import.meta.url)), process.cwd()];
  if (program) bases.push(dirname(realpath(program)));
  return [...new Set(bases)];
}

/** Ids of target packages in every node_modules from `base` upward. */
function namesAbove(base: string): readonly string[] {
  const names: string[] = [];
  for (let folder = base; ; folder = dirname(folder)) {
    names.push(...list(join(folder, "node_modules", SCOPE)));
    if (dirname(folder) === folder) return names.filter((n) => n.startsWith(PREFIX)).map((n) => n.slice(PREFIX.length));
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no such folder, or none of ours
  }
}

async function load(id: string, bases: readonly string[]): Promise<InstalledTarget | undefined> {
  const name = `${SCOPE}/${PREFIX}${id}`;
  for (const base of bases) {
    const require = createRequire(join(base, "from-here.js"));
    let path: string;
    try {
      path = require.resolve(name);
    } catch {
      continue; // not from this base
    }
    const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    return describe(name, targetOf(module, name), versionAt(path));
  }
  return undefined;
}

async function nullTarget(): Promise<InstalledTarget> {
  const name = "@llm/target/null";
  const module = (await import("@llm/target/null")) as Record<string, unknown>;
  return describe(name, targetOf(module, name), versionAt(fileURLToPath(import.meta.resolve(name))));
}

/** A target package exports its target under whatever name reads well there. */
function targetOf(module: Readonly<Record<string, unknown>>, name: string): Target {
  const target = Object.values(module).find(isTarget);
  if (!target)
    throw new ToolchainError("target-unsupported", `${name} exports no target; update it together with this package`);
  return target;
}

function isTarget(value: unknown): value is Target {
  const target = value as Partial<Target> | null;
  return (
    typeof target === "object" &&
    target !== null &&
    target.specificationVersion === 1 &&
    typeof target.id === "string" &&
    typeof target.pipeline === "function" &&
    typeof target.build === "function"
  );
}

function describe(name: string, target: Target, version: string): InstalledTarget {
  const options = target.options as Readonly<Record<string, OptionDef<unknown>>>;
  return { id: target.id, title: target.title, package: name, version, options, target };
}

/** The version in the package.json above a module. */
function versionAt(path: string): string {
  const require = createRequire(path);
  for (let folder = dirname(path); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      const manifest = require(join(folder, "package.json")) as { name?: string; version?: string };
      if (manifest.name) return manifest.version ?? "0.0.0";
    } catch {
      // not this folder's
    }
  }
  return "0.0.0";
}

function realpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
