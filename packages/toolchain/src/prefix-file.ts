import { randomUUID } from "node:crypto";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import { ToolchainError } from "./error.ts";

/** Writes a saved prefix; it has its name only when it is whole. */
export async function writePrefix(path: string, bytes: Uint8Array): Promise<void> {
  const file = resolve(path);
  const part = `${file}.${randomUUID()}.part`;
  try {
    await makeFolder(dirname(file));
    await writeFile(part, bytes);
    await rename(part, file);
  } catch (cause) {
    await rm(part, { force: true }).catch(() => {});
    throw new ToolchainError("write-failed", `${file}: could not be written: ${(cause as Error).message}`, { cause });
  }
}

/** The system reads less than 2 GiB at once, and a long history is more. */
const PIECE = 2 ** 30;

export async function readPrefix(path: string, piece: number = PIECE): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const bytes = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(piece, bytes.length - at));
      if (bytesRead === 0) return bytes.subarray(0, at); // somebody made it shorter
      at += bytesRead;
    }
    return bytes;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "there is no such file; savePrefixTo makes one" : message;
    throw new ToolchainError("input-invalid", `${resolve(path)}: ${what}`, { cause });
  }
}
