import { constants } from "node:fs";
import { copyFile, link, realpath, rm, stat, unlink } from "node:fs/promises";
import { basename, extname, join } from "node:path";

/** A checkpoint file that now also has a name beside the model. */
export interface LinkedFile {
  readonly path: string; // relative to the folder
  readonly origin: string; // absolute, symbolic links resolved
  readonly how: "hard" | "reflink";
}

/**
 * Gives `file` a second name in `folder` without copying its bytes, or says why that can't be done there. Runtimes
 * refuse external data behind symbolic links, and the hub's cache is made of them: what is linked is the real file.
 * A `name` that is given is taken over; else it is the file's own, with a number where another file has it.
 */
export async function linkFile(
  file: string,
  folder: string,
  name?: string,
): Promise<LinkedFile | { readonly refused: string }> {
  let origin: string;
  try {
    origin = await realpath(file);
  } catch (error) {
    return { refused: reason(error) }; // not a file on this machine; whoever reads the checkpoint knows where it is
  }
  const identity = await stat(origin);
  for (let attempt = 1; ; ) {
    const path = name ?? numbered(basename(file), attempt);
    const target = join(folder, path);
    const existing = await stat(target).catch(() => undefined);
    if (existing?.ino === identity.ino && existing.dev === identity.dev) return { path, origin, how: "hard" };
    if (existing !== undefined && name !== undefined) await rm(target, { force: true });
    else if (existing !== undefined) {
      attempt++;
      continue;
    }
    try {
      await link(origin, target);
      return { path, origin, how: "hard" };
    } catch (error) {
      if (isTaken(error)) continue; // by an export at the same time, perhaps of the same file: look again
      const how = await reflink(origin, target);
      if (how === "taken") continue;
      if (how === "done") return { path, origin, how: "reflink" };
      return { refused: reason(error) };
    }
  }
}

/** "model.safetensors", "model-2.safetensors", … : two checkpoint folders may use one name. */
function numbered(name: string, attempt: number): string {
  if (attempt === 1) return name;
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)}-${attempt}${extension}`;
}

/** A copy that shares its blocks with the original, on file systems that have such. */
async function reflink(origin: string, target: string): Promise<"done" | "taken" | "refused"> {
  try {
    await copyFile(origin, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return "done";
  } catch (error) {
    if (isTaken(error)) return "taken";
    // A failed clone may leave its empty target behind.
    if ((await stat(target).catch(() => undefined))?.size === 0) await unlink(target).catch(() => {});
    return "refused";
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EEXIST";
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EXDEV") return "it is on another file system";
  if (code === "EPERM" || code === "EACCES") return "the system doesn't allow links to it";
  if (code === "EMLINK") return "it has as many links as its file system allows";
  return code ?? message;
}
