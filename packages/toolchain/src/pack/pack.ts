import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { MANIFEST, openArtefact } from "@llm/target/engine";
import { ToolchainError } from "../error.ts";
import { findFinished, isArtefact } from "../find-finished.ts";
import { isModelFile, MODEL_TEMPLATES } from "../model-files.ts";
import { INDEX, type PackedFile, type PackIndex } from "./pack-index.ts";
import { BLOCK, tarHeader } from "./tar-header.ts";

export interface PackOptions {
  /** The file to write; the artefact's name with `.tar` unless said. */
  readonly out?: string;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface Packed {
  readonly file: string;
  readonly bytes: number;
  /** What is in it, by path. */
  readonly files: readonly string[];
}

/**
 * One file with everything that a host without a network needs: an artefact with its tokenizer and template, or a device's
 * file with what lies beside it. It is a plain tar, so that any machine can unpack it; this program opens it as it is.
 */
export async function pack(thing: string, options: PackOptions = {}): Promise<Packed> {
  const path = resolve(thing);
  const { folder, opens, names } = await contents(path, thing);
  const file = resolve(options.out ?? (await defaultName(path)));
  await refuseFolder(file);
  const files: PackedFile[] = [];
  for (const name of names) files.push(await describe(folder, name, options));
  await write(file, folder, { schemaVersion: 1, opens, files }, options);
  return { file, bytes: (await stat(file)).size, files: names };
}

interface Contents {
  readonly folder: string;
  readonly opens: string;
  readonly names: readonly string[];
}

async function contents(path: string, thing: string): Promise<Contents> {
  const found = await findFinished(path);
  if (found?.kind === "artefact") {
    const { manifest } = await openArtefact(path, { thorough: true });
    return { folder: path, opens: ".", names: [MANIFEST, ...manifest.files.map((file) => file.path)] };
  }
  // A checkpoint may keep a graph in a folder of its own; that is to be exported.
  if (!found || ![path, dirname(path)].includes(dirname(found.file)))
    throw new ToolchainError("option-invalid", `${thing}: neither an artefact nor a device's file; compile first`);
  const { manifest } = await found.files.artefact(found.file); // refuses what is damaged before it travels
  const files = manifest.files.map((file) => file.path);
  const folder = dirname(found.file);
  if (await isArtefact(folder)) return contents(folder, folder); // its tokenizer lies deeper
  const templates = await readdir(join(folder, MODEL_TEMPLATES)).catch(() => []);
  const there = [...(await readdir(folder)), ...templates.map((name) => `${MODEL_TEMPLATES}/${name}`)];
  const beside = there.filter((name) => name === NETS || isModelFile(name));
  return { folder, opens: basename(found.file), names: [...files, ...beside.sort()] };
}

/** What some compilers' lists of nets are called. */
const NETS = "nets.json";

/** A device's file loses its ending; a folder has none, whatever dots are in its name. */
async function defaultName(path: string): Promise<string> {
  const name = basename(path);
  return `${(await stat(path)).isDirectory() ? name : name.replace(/\.\w+$/, "")}.tar`;
}

async function refuseFolder(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory())
    throw new ToolchainError("option-invalid", `${file} is a folder; name the file that is to be written (--out)`);
}

async function describe(folder: string, path: string, { signal }: PackOptions): Promise<PackedFile> {
  const file = join(folder, path);
  const { size, mtimeMs } = await stat(file);
  const hash = createHash("sha256");
  for await (const part of createReadStream(file, { ...(signal ? { signal } : {}) })) hash.update(part as Uint8Array);
  return { path, bytes: size, sha256: hash.digest("hex"), modified: mtimeMs / 1000 };
}

/** Under another name until it is whole: what was broken off leaves nothing behind. */
async function write(file: string, folder: string, index: PackIndex, options: PackOptions): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await writePartial(partial, folder, index, options);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function writePartial(
  partial: string,
  folder: string,
  index: PackIndex,
  { onProgress, signal }: PackOptions,
): Promise<void> {
  const handle = await open(partial, "w");
  try {
    const text = new TextEncoder().encode(`${JSON.stringify(index, undefined, 1)}\n`);
    await put(handle, tarHeader({ path: INDEX, bytes: text.length, modified: 0 }), text, padding(text.length));
    const total = index.files.reduce((sum, { bytes }) => sum + bytes, 0);
    let done = 0;
    for (const entry of index.files) {
      await put(handle, tarHeader(entry));
      for await (const part of createReadStream(join(folder, entry.path), { ...(signal ? { signal } : {}) })) {
        await put(handle, part as Uint8Array);
        done += (part as Uint8Array).length;
        onProgress?.(done, total);
      }
      await put(handle, padding(entry.bytes));
    }
    await put(handle, new Uint8Array(2 * BLOCK));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function put(handle: FileHandle, ...parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts) if (part.length > 0) await handle.writeFile(part);
}

function padding(bytes: number): Uint8Array {
  return new Uint8Array((BLOCK - (bytes % BLOCK)) % BLOCK);
}
