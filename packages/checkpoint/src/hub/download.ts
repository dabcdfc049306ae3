import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "@llm/tensor/files";
import { CheckpointError } from "../error.ts";
import { type HubRequest, type HubResponse, request, Transient, withRetries } from "./http.ts";
import { withLock } from "./lock.ts";
import { checkStatus, fileUrl, type RepoFile } from "./repo.ts";

export interface Download extends HubRequest {
  readonly repo: string;
  readonly commit: string;
  readonly file: RepoFile;
  /** Where the finished file goes; unfinished it has `.incomplete` at its end, as in Python. */
  readonly blob: string;
  /** How many bytes of the file there are so far. */
  readonly onBytes: (bytes: number) => void;
}

/** The bytes are not those that the hub promised. */
class Corrupt extends Error {}

/**
 * Downloads one file, going on where an earlier try stopped, and checks it by its hash before it gets its final name: what is there
 * under that name is right. Gives the number of bytes that came.
 */
export async function download(job: Download): Promise<number> {
  try {
    return await downloadInto(job);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const reason = DISK[code ?? ""] ?? `can't be written (${code})`;
    throw new CheckpointError("cache-unwritable", `${reason}; HF_HUB_CACHE or --cache-dir names another place`, {
      file: dirname(job.blob),
      cause: error,
    });
  }
}

const DISK: Readonly<Record<string, string>> = {
  ENOSPC: "there is no space left on its disk",
  EDQUOT: "its owner's quota is used up",
  EROFS: "is on a disk that can't be written to",
  EACCES: "can't be written: permission denied",
};

async function downloadInto(job: Download): Promise<number> {
  await makeFolder(dirname(job.blob));
  const partial = `${job.blob}.incomplete`;
  return withLock(partial, job.signal, async () => {
    const existing = await fileSize(job.blob);
    if (existing !== undefined && (job.file.size === undefined || existing === job.file.size)) {
      job.onBytes(existing);
      return 0;
    }
    for (let again = true; ; again = false) {
      try {
        const came = await fetchAndCheck(job, partial);
        await rename(partial, job.blob);
        return came;
      } catch (error) {
        if (!(error instanceof Corrupt)) throw error;
        await rm(partial, { force: true });
        // What an earlier, broken run left may be to blame: once, all of it is fetched anew.
        if (!again) throw new CheckpointError("hub-corrupt", error.message, { file: `${job.repo}/${job.file.path}` });
      }
    }
  });
}

async function fetchAndCheck(job: Download, partial: string): Promise<number> {
  const handle = await open(partial, "a+");
  try {
    const target = new Target(job, handle);
    await target.resume(partial);
    await withRetries(
      job,
      `${job.repo}/${job.file.path}`,
      () => fetchRest(job, target),
      () => target.bytes,
    );
    await handle.sync();
    target.check();
    return target.came;
  } finally {
    await handle.close();
  }
}

async function fetchRest(job: Download, target: Target): Promise<void> {
  if (target.complete) return;
  const url = fileUrl(job, job.repo, job.commit, job.file.path);
  const range: Record<string, string> = target.bytes > 0 ? { range: `bytes=${target.bytes}-` } : {};
  const response = await request(job, "GET", url, range);
  if (response.status === 416) {
    // There is nothing after what we have: either it is all, or it is of another file.
    await response.discard();
    if (job.file.size === undefined) return;
    throw new Corrupt(`the hub has fewer than the ${target.bytes} bytes that are here`);
  }
  if (response.status !== 200 && response.status !== 206) await response.discard();
  checkStatus(job, response, job.repo, job.commit);
  if (!continues(response, target.bytes)) await target.restart();
  for await (const chunk of response.body()) await target.append(chunk);
  if (job.file.size !== undefined && !target.complete)
    throw new Transient(`the connection ended after ${target.bytes} of ${job.file.size} bytes`);
  if (job.file.size === undefined && cutOff(response, target.bytes)) throw new Transient("the connection ended early");
}

/** Whether the answer begins where we stopped; a server that doesn't know ranges sends all of it again. */
function continues(response: HubResponse, at: number): boolean {
  if (at === 0) return true;
  if (response.status !== 206) return false;
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  return start === undefined || Number(start) === at;
}

function cutOff(response: HubResponse, bytes: number): boolean {
  const total =
    /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1] ?? response.headers.get("content-length");
  return total !== null && total !== undefined && bytes < Number(total);
}

/** The partial file and the hash of what is in it. */
class Target {
  bytes = 0;
  /** Over the network, what was thrown away again included. */
  came = 0;
  #hash: Hash | undefined;
  readonly #job: Download;
  readonly #handle: FileHandle;

  constructor(job: Download, handle: FileHandle) {
    this.#job = job;
    this.#handle = handle;
    this.#hash = newHash(job.file);
  }

  get complete(): boolean {
    return this.bytes === this.#job.file.size;
  }

  /** Takes what an earlier run left. */
  async resume(partial: string): Promise<void> {
    const { size } = await this.#handle.stat();
    const wanted = this.#job.file.size;
    if (wanted !== undefined && size > wanted) return this.restart();
    if (size === 0) return;
    for await (const chunk of createReadStream(partial)) this.#hash?.update(chunk);
    this.bytes = size;
    this.#job.onBytes(size);
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.bytes = 0;
    this.#hash = newHash(this.#job.file);
    this.#job.onBytes(0);
  }

  async append(chunk: Uint8Array): Promise<void> {
    const { size } = this.#job.file;
    if (size !== undefined && this.bytes + chunk.length > size)
      throw new Corrupt(`the hub sends more than the ${size} bytes it promised`);
    for (let done = 0; done < chunk.length; ) done += (await this.#handle.write(chunk, done)).bytesWritten;
    this.#hash?.update(chunk);
    this.bytes += chunk.length;
    this.came += chunk.length;
    this.#job.onBytes(this.bytes);
  }

  check(): void {
    const { etag } = this.#job.file;
    const actual = this.#hash?.digest("hex");
    if (actual !== undefined && actual !== etag)
      throw new Corrupt(`its ${etag!.length === 64 ? "SHA-256" : "git hash"} is ${actual}, not ${etag}`);
  }
}

/** Large files are known by SHA-256, small ones by git's own hash; on mirrors with other etags there is only the size. */
function newHash({ etag = "", size }: RepoFile): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash("sha256");
  if (/^[0-9a-f]{40}$/.test(etag) && size !== undefined) return createHash("sha1").update(`blob ${size}\0`);
  return undefined;
}

async function fileSize(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
