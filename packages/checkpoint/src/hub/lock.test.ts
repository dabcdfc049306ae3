import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "./lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** As a process leaves it that was killed. */
const stale = () => `${hostname()} ${spawnSync(process.execPath, ["-e", ""]).pid}`;

/**
 * Has `count` callers want the lock of `file`, each `apart` turns of the event loop after the one before; returns how many held
 * it together at most, and how many ever did.
 */
async function contend(file: string, count: number, apart = 0): Promise<{ most: number; total: number }> {
  let holders = 0;
  let most = 0;
  let total = 0;
  const work = async () => {
    most = Math.max(most, ++holders);
    total++;
    await sleep(5);
    holders--;
  };
  const callers = Array.from({ length: count }, async (_, caller) => {
    for (let i = 0; i < caller * apart; i++) await turn();
    await withLock(file, undefined, work);
  });
  await Promise.all(callers);
  return { most, total };
}

test("of several that find a stale lock, one at a time gets it", async () => {
  const owner = stale();
  const files = Array.from({ length: 80 }, (_, i) => join(folder, `${i}`));
  await Promise.all(files.map((file) => writeFile(`${file}.lock`, owner)));
  // Which steps of one caller fall between which of another depends on how far apart they start.
  const seen = await Promise.all(files.map((file, i) => contend(file, 6, i % 5)));
  expect(seen).toEqual(files.map(() => ({ most: 1, total: 6 })));
  expect(await readdir(folder)).toEqual([]);
});

test("one that died while it took a lock over doesn't block the others", async () => {
  const owner = stale();
  const file = join(folder, "file");
  await writeFile(`${file}.lock`, owner);
  await writeFile(`${file}.lock.lock`, owner);
  expect(await contend(file, 6)).toEqual({ most: 1, total: 6 });
  expect(await readdir(folder)).toEqual([]);
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
