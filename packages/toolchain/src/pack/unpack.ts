import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import { ToolchainError } from "../error.ts";
import { packedCache } from "../places.ts";
import { INDEX, MOST_INDEX_BYTES, type PackedFile, type PackIndex, parseIndex } from "./pack-index.ts";
import { BLOCK, readTarHeader } from "./tar-header.ts";

const PART_BYTES = 4 << 20;

/** Whether a file was made by `pack`: its first entry is the index. */
export async function isPack(path: string): Promise<boolean> {
  const handle = await open(path, "r").catch(() => undefined);
  if (!handle) return false;
  try {
    if (!(await handle.stat()).isFile()) return false;
    const block = new Uint8Array(BLOCK);
    const { bytesRead } = await handle.read(block, 0, BLOCK, 0);
    return bytesRead === BLOCK && readTarHeader(block)?.path === INDEX;
  } finally {
    await handle.close();
  }
}

/**
 * Unpacks into the cache, once: what is there under a pack's own hash is not unpacked again. Gives what is to be opened.
 * Everything is checked against the index, and appears only when all of it is there. A pack that ends too early is refused
 * though a whole one was unpacked before: it would work here and nowhere else.
 */
export async function unpack(
  pack: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const handle = await open(pack, "r");
  try {
    const text = await readIndex(handle, pack);
    const index = parseIndex(text, pack);
    const start = BLOCK + whole(Buffer.byteLength(text));
    const length = index.files.reduce((sum, { bytes }) => sum + BLOCK + whole(bytes), start);
    if ((await handle.stat()).size < length) throw damaged(pack, "it ends too early");
    const folder = join(packedCache(env), createHash("sha256").update(text).digest("hex"));
    if (!(await exists(folder))) {
      const partial = `${folder}.${randomUUID()}`;
      try {
        await extract(handle, pack, index, partial, start);
        await rename(partial, folder).catch(async (error: unknown) => {
          if (!(await exists(folder))) throw error; // somebody else was faster, with the same content
        });
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
    }
    return index.opens === "." ? folder : join(folder, index.opens);
  } finally {
    await handle.close();
  }
}

async function readIndex(handle: FileHandle, pack: string): Promise<string> {
  const entry = readTarHeader(await read(handle, 0, BLOCK, pack));
  if (entry?.path !== INDEX || !(entry.bytes <= MOST_INDEX_BYTES)) throw damaged(pack, "its list of files is missing");
  return new TextDecoder().decode(await read(handle, BLOCK, entry.bytes, pack));
}

async function extract(
  handle: FileHandle,
  pack: string,
  { files }: PackIndex,
  folder: string,
  start: number,
): Promise<void> {
  let at = start;
  await makeFolder(folder);
  for (const file of files) {
    const entry = readTarHeader(await read(handle, at, BLOCK, pack));
    if (entry?.path !== file.path || entry.bytes !== file.bytes)
      throw damaged(pack, `${file.path} is not where it should be`);
    await extractFile(handle, pack, file, join(folder, file.path), at + BLOCK);
    at += BLOCK + whole(file.bytes);
  }
}

async function extractFile(
  handle: FileHandle,
  pack: string,
  file: PackedFile,
  path: string,
  start: number,
): Promise<void> {
  await makeFolder(dirname(path));
  const hash = createHash("sha256");
  const target = await open(path, "wx");
  try {
    for (let at = 0; at < file.bytes; at += PART_BYTES) {
      const part = await read(handle, start + at, Math.min(PART_BYTES, file.bytes - at), pack);
      hash.update(part);
      await target.writeFile(part);
    }
  } finally {
    await target.close();
  }
  if (hash.digest("hex") !== file.sha256) throw damaged(pack, `${file.path} was changed on the way`);
  await utimes(path, file.modified, file.modified);
}

async function read(handle: FileHandle, at: number, bytes: number, pack: string): Promise<Uint8Array> {
  const buffer = new Uint8Array(bytes);
  const { bytesRead } = await handle.read(buffer, 0, bytes, at);
  if (bytesRead < bytes) throw damaged(pack, "it ends too early");
  return buffer;
}

function damaged(pack: string, what: string): ToolchainError {
  return new ToolchainError("pack-invalid", `${pack}: ${what}; copy or pack it again`);
}

function whole(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
