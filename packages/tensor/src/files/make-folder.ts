import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder and those above it that are missing; what is there already, or somebody else makes meanwhile, is as good.
 * From the nearest one that exists downwards, because Node's own recursive `mkdir` tries forever where a file system answers
 * that a folder's parent is missing although it is there, as /proc does.
 *
 * @example
 * await makeFolder("out/onnx");
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder)) {
    missing.push(folder);
    if (dirname(folder) === folder) break;
  }
  for (const folder of missing.reverse())
    await mkdir(folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
      if (await isFolder(folder)) return;
      // A file where a folder above should be is an error of its own, as Node's recursive `mkdir` has it.
      throw folder === missing.at(-1) ? error : Object.assign(error, { code: "ENOTDIR" });
    });
}

/** What can't be looked at is no folder yet: making it says why. */
function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
