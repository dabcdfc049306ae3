import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive, processIdentity } from "@llm/tensor/files";
import { ExportError } from "../error.ts";

export interface DurableOptions {
  /** Wait until the disk has it; so unless said. Without, it is only whole. */
  readonly sync?: boolean;
}

/**
 * A file that appears under its name only when it is whole and on the disk: written under a temporary one beside it,
 * synced, renamed. Dropped without `finish`, it leaves nothing behind (`await using`).
 */
export class DurableFile implements AsyncDisposable {
  readonly path: string;
  readonly temporary: string;
  readonly #handle: FileHandle;
  readonly #sync: boolean;
  #finished = false;

  private constructor(path: string, temporary: string, handle: FileHandle, sync: boolean) {
    this.path = path;
    this.temporary = temporary;
    this.#handle = handle;
    this.#sync = sync;
  }

  static async create(path: string, { sync = true }: DurableOptions = {}): Promise<DurableFile> {
    const mark = `${processIdentity()}-${randomBytes(4).toString("hex")}`;
    const temporary = join(dirname(path), `.${basename(path)}.${mark}.tmp`);
    await dropLeftovers(path);
    try {
      return new DurableFile(path, temporary, await open(temporary, "wx"), sync);
    } catch (error) {
      throw writeError(error, path);
    }
  }

  /** Writes all of `bytes` at `offset`; calls may overlap in time where their ranges don't. */
  async write(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw writeError(error, this.path);
    }
  }

  async finish(): Promise<void> {
    try {
      if (this.#sync) await this.#handle.sync();
      await this.#handle.close();
      await rename(this.temporary, this.path);
    } catch (error) {
      throw writeError(error, this.path);
    }
    this.#finished = true;
    if (this.#sync) await syncFolder(dirname(this.path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#finished) return;
    await this.#handle.close().catch(() => {});
    await rm(this.temporary, { force: true });
  }
}

/** What processes that were killed left of the same file; those of living ones are theirs. */
async function dropLeftovers(path: string): Promise<void> {
  const prefix = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    const owner = name.startsWith(prefix)
      ? /^(\d[^.]*)-[0-9a-f]{8}\.tmp$/.exec(name.slice(prefix.length))?.[1]
      : undefined;
    if (owner !== undefined && !isAlive(owner)) await rm(join(dirname(path), name), { force: true });
  }
}

/** A whole small file. */
export async function writeDurably(path: string, bytes: Uint8Array, options: DurableOptions = {}): Promise<void> {
  await using file = await DurableFile.create(path, options);
  await file.write(bytes, 0);
  await file.finish();
}

/** Puts renames in `folder` on the disk; where folders can't be opened (Windows), the system does it itself. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => {});
  await handle.close();
}

const FULL = new Set(["ENOSPC", "EDQUOT"]);

/** What went wrong with a write, in a line that says what to do. */
export function writeError(error: unknown, file: string): ExportError {
  if (ExportError.isInstance(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (FULL.has(code ?? ""))
    return new ExportError("disk-full", "no space left on the disk; free some, or choose another folder with --out", {
      file,
      cause: error,
    });
  return new ExportError("write-failed", `can't be written (${code ?? message})`, { file, cause: error });
}
