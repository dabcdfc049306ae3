import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
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

export async function readPrefix(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "there is no such file; savePrefixTo makes one" : message;
    throw new ToolchainError("input-invalid", `${resolve(path)}: ${what}`, { cause });
  }
}
