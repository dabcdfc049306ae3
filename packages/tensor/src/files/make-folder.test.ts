import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "./index.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "make-folder-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("a folder and all above it are made, once", async () => {
  const path = join(root, "a", "b", "c");
  await makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
  await makeFolder(path);
  await makeFolder(join(root, "a"));
});

test("several may make the same at once", async () => {
  const paths = Array.from({ length: 20 }, (_, i) => join(root, "x", "y", `z${i % 3}`));
  await Promise.all(paths.map((path) => makeFolder(path)));
  expect(paths.every((path) => existsSync(path))).toBe(true);
});

test("a link to a folder is a folder", async () => {
  await makeFolder(join(root, "real"));
  symlinkSync(join(root, "real"), join(root, "link"));
  await makeFolder(join(root, "link", "below"));
  expect(existsSync(join(root, "real", "below"))).toBe(true);
});

test.each([
  ["a file where the folder should be", "file", "EEXIST"],
  ["a file on the way", "file/below", "ENOTDIR"],
  ["a link that leads nowhere", "dangling", "EEXIST"],
])("%s is said", async (_, path, code) => {
  writeFileSync(join(root, "file"), "");
  symlinkSync(join(root, "nowhere"), join(root, "dangling"));
  await expect(makeFolder(join(root, path))).rejects.toMatchObject({ code });
});

test.runIf(process.platform === "linux")("where no folder can be made, it is said at once", async () => {
  await expect(makeFolder("/proc/llm-nothing/below")).rejects.toMatchObject({ code: "ENOENT" });
});
