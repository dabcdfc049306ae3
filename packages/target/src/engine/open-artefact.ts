import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Artefact, ManifestFile } from "../artefact.ts";
import { TargetError } from "../error.ts";
import { linkIdentity, sha256File } from "./files.ts";
import { MANIFEST, readManifest } from "./manifest.ts";

export interface OpenOptions {
  /** Hash every file that was written, not only those that somebody wrote to since. */
  readonly thorough?: boolean;
}

/** Opens a finished artefact, or says in one line what is wrong with it and what to do. */
export async function openArtefact(folder: string, { thorough = false }: OpenOptions = {}): Promise<Artefact> {
  const path = resolve(folder);
  if (!(await stat(path).catch(() => undefined))?.isDirectory())
    throw new TargetError("artefact-missing", `${folder}: there is no such folder; build the artefact first`);
  const manifest = await readManifest(path);
  // The manifest is written last: what is younger was written to since, or is a copy and as good as before.
  const { mtimeMs: finished } = await stat(join(path, MANIFEST));
  for (const file of manifest.files) await checkFile(join(path, file.path), file, thorough ? -1 : finished);
  return { folder: path, manifest };
}

/** Files are hashed that are no older than `trusted`: a clock's tick is long enough to write twice. */
async function checkFile(path: string, file: ManifestFile, trusted: number): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new TargetError("artefact-damaged", `${path} is missing; build the artefact again`);
  if ("link" in file) return checkLink(path, file.link);
  if (found.size !== file.bytes)
    throw new TargetError(
      "artefact-damaged",
      `${path} has ${found.size} bytes, not ${file.bytes}; build the artefact again`,
    );
  if (found.mtimeMs >= trusted && (await sha256File(path)) !== file.sha256)
    throw new TargetError("artefact-damaged", `${path} was changed since it was written; build the artefact again`);
}

/** The inode is only a witness: a copy that kept size, time and header is as good. */
async function checkLink(
  path: string,
  link: { readonly size: number; readonly mtimeMs: number; readonly headerSha256: string },
): Promise<void> {
  const now = await linkIdentity(path);
  // Copying programs keep times to the second, the microsecond or not at all.
  const sameTime = Math.abs(now.mtimeMs - link.mtimeMs) < 1000;
  if (now.size !== link.size || now.headerSha256 !== link.headerSha256 || !sameTime)
    throw new TargetError(
      "artefact-changed",
      `${path} is linked to a checkpoint that changed since (or was copied without its time: use cp -a); build the artefact again`,
    );
}
