import { constants } from "node:fs";
import { access, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { cacheHome } from "@llm/target/engine";
import { makeFolder } from "@llm/tensor/files";
import { ToolchainError } from "./error.ts";

/** Where downloads of the hub are, by the rules of the hub's own tools. */
export { hubCacheDir as hubCache } from "@llm/checkpoint";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where finished artefacts are kept: `<cache home>/llm/artefacts`. */
export function artefactCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "artefacts");
}

/** Where single units are kept, so that an interrupted or slightly different build goes on from them. */
export function unitCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "units");
}

/** Where vendors' compilers are unpacked that a target fetched. */
export function toolCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "tools");
}

/** Where packs are unpacked that are opened as they are. */
export function packedCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "packed");
}

/** Where it is remembered what was verified, by key. */
export function verifiedCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "verified");
}

/** Where it is remembered how far evaluations are that were interrupted. */
export function evaluationCache(env: Environment = process.env): string {
  return join(cacheHome(env), "llm", "eval");
}

/** Makes a folder for something to be written to; one line says which can't be, and what to set. */
export async function writableFolder(
  folder: string,
  todo = "set XDG_CACHE_HOME to a folder that can",
): Promise<string> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ToolchainError("write-failed", `${folder} can't be written to (${code}); ${todo}`, { cause: error });
  }
}

/** What is still in the scratch folder after this long was left by a run that was killed. */
const LEFT_MS = 24 * 3600 * 1000;

/** Where work goes that is thrown away afterwards: beside the rest, so that links work. */
export async function scratchFolder(env: Environment = process.env): Promise<string> {
  const folder = join(cacheHome(env), "llm", "scratch");
  await writableFolder(folder);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined); // gone meanwhile: somebody else's work, finished
    if (info && Date.now() - info.mtimeMs > LEFT_MS) await rm(path, { recursive: true, force: true });
  }
  return folder;
}
