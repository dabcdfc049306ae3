import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { coreCount } from "./cores.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-cores-"));
  // Eight processors of four cores: the second thread of each core comes after the first ones, as Linux counts them.
  for (let id = 0; id < 8; id++) {
    const topology = join(folder, `cpu${id}`, "topology");
    mkdirSync(topology, { recursive: true });
    writeFileSync(join(topology, "thread_siblings_list"), `${id % 4},${(id % 4) + 4}\n`);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function cores(allowed: string, most = 8): number {
  const status = join(folder, "status");
  writeFileSync(status, `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${allowed}\nMems_allowed_list:\t0\n`);
  return coreCount({ processors: folder, status }, most);
}

test("two threads of a core are one", () => {
  expect(cores("0-7")).toBe(4);
  expect(cores("0-3")).toBe(4);
});

test("only those count that the process may run on", () => {
  expect(cores("0,4")).toBe(1);
  expect(cores("0-1,5")).toBe(2);
  expect(cores("2")).toBe(1);
});

test("a container's limit counts", () => {
  expect(cores("0-7", 3)).toBe(3);
  expect(cores("0-7", 1)).toBe(1);
});

test("processors that may be plugged in one day aren't there", () => {
  expect(cores("0-127")).toBe(4);
});

test("where the system says nothing, every processor counts", () => {
  expect(coreCount({ processors: folder, status: join(folder, "none") }, 6)).toBe(6);
  expect(cores("8-9", 2)).toBe(2); // of which nothing is known
});
