import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError } from "../error.ts";
import { isObject, type JsonObject, parseJson } from "../json.ts";
import { fileError } from "./binary-file.ts";

/** The whole of a small file, or undefined when there is none. */
export async function readSmallFile(path: string, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { size } = await stat(path);
    if (size > limit)
      throw new CheckpointError("limit-exceeded", `has ${size} bytes, more than the ${limit} such a file can need`, {
        file: path,
      });
    return await readFile(path);
  } catch (error) {
    if (CheckpointError.isInstance(error)) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

/** A JSON object in a small file, or undefined when there is no such file. */
export async function readJsonFile(path: string, limit: number): Promise<JsonObject | undefined> {
  const bytes = await readSmallFile(path, limit);
  return bytes === undefined ? undefined : jsonObject(bytes, path);
}

/** `bytes` as a JSON object; `path` is for the message when they aren't one. */
export function jsonObject(bytes: Uint8Array, path: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? `is not valid JSON: ${oneLine(error.message)}` : "is not UTF-8 text";
    throw new CheckpointError("config-invalid", reason, { file: path, cause: error });
  }
  if (!isObject(value)) throw new CheckpointError("config-invalid", "is not a JSON object", { file: path });
  return value;
}

/** Names of the files in a folder, sorted; those of sub-folders that are asked for come as `sub/name`. */
export async function listFiles(folder: string, subfolders: readonly string[] = []): Promise<string[]> {
  const names: string[] = [];
  for (const sub of ["", ...subfolders]) {
    const entries = await readdir(join(folder, sub), { withFileTypes: true }).catch((error) => {
      if (sub !== "") return [];
      throw fileError(folder, error);
    });
    // Links count as files: the hub's cache is made of them.
    for (const entry of entries)
      if (entry.isFile() || entry.isSymbolicLink()) names.push(sub === "" ? entry.name : `${sub}/${entry.name}`);
  }
  return names.sort();
}

/** Safe to print: the parser's messages quote the file, which may hold line breaks and what terminals obey. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, " ").slice(0, 200);
}
