import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, processIdentity } from "@llm/tensor/files";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withLock } from "./lock.ts";

// Callers that go about the same thing at once mostly go in step, which hides who gets in whose way: here one removal comes late,
// the next even later.
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  let removals = 0;
  const late: typeof real.rm = async (...args) => {
    await sleep(10 * (removals++ % 6));
    return real.rm(...args);
  };
  return { ...real, rm: late };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** As a process leaves it that was killed: a number that no process can have, so that none was given it since. */
const STALE = `${hostname()} ${2 ** 22 + 1}`;

/** Has six want the lock of `file` at once; returns how many held it together at most, and how many ever did. */
async function contend(file: string): Promise<{ most: number; total: number }> {
  let holders = 0;
  let most = 0;
  let total = 0;
  const work = async () => {
    most = Math.max(most, ++holders);
    total++;
    await sleep(20);
    holders--;
  };
  await Promise.all(Array.from({ length: 6 }, () => withLock(file, undefined, work)));
  return { most, total };
}

test("of several that find a stale lock, one at a time gets it", async () => {
  const file = join(folder, "file");
  await writeFile(`${file}.lock`, STALE);
  expect(await contend(file)).toEqual({ most: 1, total: 6 });
  expect(await readdir(folder)).toEqual([]);
});

test("one that died while it took a lock over doesn't block the others", async () => {
  const file = join(folder, "file");
  await writeFile(`${file}.lock`, STALE);
  await writeFile(`${file}.lock.lock`, STALE);
  expect(await contend(file)).toEqual({ most: 1, total: 6 });
  expect(await readdir(folder)).toEqual([]);
});

test("a lock of a process whose number another has now is taken over", async () => {
  const file = join(folder, "file");
  const own = processIdentity();
  expect(isAlive(own)).toBe(true);
  if (!own.includes("@")) return; // no /proc here: numbers are all there is
  const [pid] = own.split("@");
  await writeFile(`${file}.lock`, `${hostname()} ${pid}@an-earlier-boot-1 someone`);
  expect(await contend(file)).toEqual({ most: 1, total: 6 });
});

test("who has lost the lock leaves the new owner's", async () => {
  const file = join(folder, "file");
  await withLock(file, undefined, () => writeFile(`${file}.lock`, "elsewhere 1"));
  expect(await readFile(`${file}.lock`, "utf8")).toBe("elsewhere 1");
});

test("an abort ends the wait, and a failure the lock", async () => {
  const file = join(folder, "file");
  const broken = new Error("broken");
  await expect(
    withLock(file, undefined, async () => {
      await expect(withLock(file, AbortSignal.timeout(20), async () => {})).rejects.toThrow(/abort/i);
      throw broken;
    }),
  ).rejects.toBe(broken);
  expect(await readdir(folder)).toEqual([]);
});
