import { stat } from "node:fs/promises";
import { type InstalledTarget, installedTargets } from "./targets.ts";

/** Endings of files that no target is asked about: nothing has to be loaded for those. */
const COMMON = /\.(?:gguf|json|safetensors|bin|pt|pth|txt)$/;

/** The installed target that knows files of this kind by itself, such as a .bmodel. */
export async function targetOfFile(path: string): Promise<InstalledTarget | undefined> {
  if (COMMON.test(path) || !(await isFile(path))) return undefined;
  const targets = await installedTargets();
  return targets.find(({ target }) => target.files && path.endsWith(target.files.extension));
}

/** A folder that holds a model only as such a file: the target that takes it, and the file. */
export async function targetFileIn(
  folder: string,
): Promise<{ target: InstalledTarget["target"]; file: string } | undefined> {
  for (const { target } of await installedTargets()) {
    const file = await target.files?.findIn?.(folder);
    if (file !== undefined) return { target, file };
  }
  return undefined;
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
}
