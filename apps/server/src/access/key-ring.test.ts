import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeyRing } from "./key-ring.ts";

const folder = mkdtempSync(join(tmpdir(), "llm-keys-"));
const file = join(folder, "keys.txt");
let stamp = 1;

/** Writes the file, at another time than before however coarse the file system's clock is. */
function write(text: string): void {
  writeFileSync(file, text);
  utimesSync(file, stamp, stamp++);
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a key ring", () => {
  it("knows each of its keys by a name of its own that doesn't give it away", async () => {
    const ring = await KeyRing.open({ keys: ["first", "second", ""] });
    const names = await Promise.all(["first", "second", "first"].map((key) => ring.nameOf(key)));
    expect(names[0]).toBe(names[2]);
    expect(names[0]).not.toBe(names[1]);
    expect(names.join()).not.toContain("first");
    for (const guess of ["", "firs", "first ", "third", "f".repeat(100_000)])
      expect(await ring.nameOf(guess)).toBeUndefined();
  });
});

describe("a key file", () => {
  it("is read again when it changes: new keys open, old ones don't", async () => {
    write("# of the team\n\n  one  \r\ntwo\n");
    const ring = await KeyRing.open({ file, keys: ["given"] });
    expect(await ring.nameOf("one")).toBeDefined();
    expect(await ring.nameOf("# of the team")).toBeUndefined();
    expect(await ring.nameOf("")).toBeUndefined();
    write("two\nthree\n");
    vi.advanceTimersByTime(1500);
    expect(await ring.nameOf("one")).toBeUndefined();
    expect(await ring.nameOf("three")).toBeDefined();
    expect(await ring.nameOf("given")).toBeDefined();
  });

  it("that goes away leaves the keys as they were, and says so", async () => {
    write("one\n");
    const problems: string[] = [];
    const ring = await KeyRing.open({ file, onProblem: (message) => problems.push(message) });
    rmSync(file);
    vi.advanceTimersByTime(1500);
    expect(await ring.nameOf("one")).toBeDefined();
    expect(problems).toEqual([expect.stringContaining(file)]);
  });

  it("without a key, or none at all, is refused at the start", async () => {
    write("# nothing\n");
    await expect(KeyRing.open({ file })).rejects.toThrow(/has no keys/);
    await expect(KeyRing.open({ file: join(folder, "absent") })).rejects.toMatchObject({ code: "ENOENT" });
  });
});
