import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, open, readdir, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import type { LinkIdentity } from "../artefact.ts";
import { TargetError } from "../error.ts";

/** How much of a linked file stands for its header: more than the header of all but the largest checkpoints. */
const HEADER_BYTES = 1 << 20;

/** What is hashed at once. */
const PIECE_BYTES = 1 << 20;

/** SHA-256 of a file's content, or of its beginning, read in pieces into the same memory. */
export async function sha256File(path: string, end = Number.POSITIVE_INFINITY): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(path, "r");
  try {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, end));
    for (let at = 0; at < end; ) {
      const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, end - at), at);
      if (bytesRead === 0) break;
      hash.update(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}

/** What a linked file is known by instead of its content. */
export async function linkIdentity(path: string): Promise<LinkIdentity> {
  const { size, mtimeMs, ino } = await stat(path);
  const headerSha256 = size === 0 ? await sha256File(path) : await sha256File(path, Math.min(size, HEADER_BYTES));
  return { size, mtimeMs, inode: ino, headerSha256 };
}

/**
 * The same file under a second name; a copy (that shares blocks, where the file system can) with the same time when it can't
 * be linked.
 */
export async function linkOrCopy(from: string, to: string): Promise<"link" | "copy"> {
  await makeFolder(dirname(to));
  try {
    await link(from, to);
    return "link";
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK" && code !== "ENOTSUP") throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const { atimeMs, mtimeMs } = await stat(from);
    await utimes(to, atimeMs / 1000, mtimeMs / 1000);
    return "copy";
  }
}

/** Files below a folder, relative, with forward slashes, in order. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
}

/** Makes sure that a file or a folder's list of names is on the disk, not only on its way. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems can't sync folders; a file that can't is a real error.
    if (!["EINVAL", "EISDIR", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

/** Flushes the named files and every folder that names them. */
export async function flushTree(folder: string, files: readonly string[]): Promise<void> {
  const folders = new Set([folder]);
  for (const file of files) {
    await flush(join(folder, file));
    for (let up = dirname(join(folder, file)); up.length > folder.length; up = dirname(up)) folders.add(up);
  }
  for (const path of folders) await flush(path);
}

/** A full disk is not a bug: it becomes one line that says where. Other errors stay what they are. */
export function explainDisk(error: unknown, where: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new TargetError(
      "disk-full",
      `${where}: the disk is full; make room and run the same command again, it goes on where it stopped`,
      { cause: error },
    );
  return error;
}
