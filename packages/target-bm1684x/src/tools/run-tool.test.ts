import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runTool } from "./run-tool.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bm1684x-tool-"));
  mkdirSync(join(folder, "bin"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program that says something and fails. */
function program(says: string, mode = 0o755): void {
  const path = join(folder, "bin", "tpuc-opt");
  writeFileSync(path, `#!/bin/sh\necho "${says}" >&2\nexit 1\n`);
  chmodSync(path, mode);
}

const run = (own: boolean) => runTool({ folder, own }, "tpuc-opt", { args: [], folder });

test("an own copy that meets another C library says which files to move away", async () => {
  program("version 'GLIBC_2.36' not found");
  await expect(run(true)).rejects.toThrow(/GLIBC_2.36' not found; move .* out of .*third_party: libc\.so\.6 libm/);
  await expect(run(false)).rejects.toThrow(/not found$/);
  program("error: no such op");
  await expect(run(true)).rejects.toThrow(/no such op$/);
});

test("a program that may not be run is one line, too", async () => {
  program("", 0o644);
  await expect(run(true)).rejects.toMatchObject({
    code: "tool-missing",
    message: expect.stringMatching(/tpuc-opt can't be started: .*EACCES/),
  });
});
