import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 200;

/** Another machine can't be asked whether its process lives; a download adds to its file far more often than this. */
const STALE_MS = 10 * 60_000;

/**
 * Runs `work` while no other process works on the same file: two that append to one partial download would ruin it. A lock
 * whose process is gone is taken over, so that a killed download can go on.
 */
export async function withLock<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const path = `${file}.lock`;
  const owner = `${hostname()} ${process.pid}`;
  while (!(await take(path, owner))) {
    if (await isStale(path, file)) await rm(path, { force: true });
    else await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, owner: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx");
    await handle.writeFile(owner);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isStale(path: string, file: string): Promise<boolean> {
  const [host, pid] = (await readFile(path, "utf8").catch(() => "")).split(" ");
  if (host === hostname() && pid !== undefined) return !isAlive(Number(pid));
  const times = await Promise.all([path, file].map(async (name) => (await stat(name).catch(() => undefined))?.mtimeMs));
  return times[0] !== undefined && Date.now() - Math.max(times[0], times[1] ?? 0) > STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
