import { randomUUID } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, processIdentity } from "@llm/tensor/files";

const POLL_MS = 200;

/** Another machine can't be asked whether its process lives; a download adds to its file far more often than this. */
const STALE_MS = 10 * 60_000;

/**
 * Runs `work` while nobody else works on the same file: two that append to one partial download would ruin it. A lock whose
 * process is gone is taken over, so that a killed download can go on.
 */
export async function withLock<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const path = `${file}.lock`;
  const owner = `${hostname()} ${processIdentity()} ${randomUUID()}`;
  while (!(await take(path, owner))) {
    if (await isStale(path, file)) await removeStale(path, file, signal);
    else await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
  try {
    return await work();
  } finally {
    // Whoever stood still for too long may have lost it to another.
    if ((await ownerOf(path)) === owner) await rm(path, { force: true });
  }
}

async function take(path: string, owner: string): Promise<boolean> {
  try {
    await writeFile(path, owner, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Several may find the same lock stale. One at a time looks again and removes it, under a lock of its own: the others would
 * remove what its new owner has made since.
 */
function removeStale(path: string, file: string, signal: AbortSignal | undefined): Promise<void> {
  return withLock(path, signal, async () => {
    if (await isStale(path, file)) await rm(path, { force: true });
  });
}

async function ownerOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

async function isStale(path: string, file: string): Promise<boolean> {
  const [host, identity] = (await ownerOf(path)).split(" ");
  if (host === hostname() && identity !== undefined) return !isAlive(identity);
  const times = await Promise.all([path, file].map(async (name) => (await stat(name).catch(() => undefined))?.mtimeMs));
  return times[0] !== undefined && Date.now() - Math.max(times[0], times[1] ?? 0) > STALE_MS;
}
