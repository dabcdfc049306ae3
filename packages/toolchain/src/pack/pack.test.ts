import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build, prepare } from "../build.ts";
import { inspect } from "../inspect.ts";
import { openModel } from "../open-model.ts";
import { resolveModel } from "../resolve-model.ts";
import { findTarget } from "../targets.ts";
import { pack } from "./pack.ts";
import { readTarHeader, tarHeader } from "./tar-header.ts";
import { isPack, unpack } from "./unpack.ts";

let folder: string;
let artefact: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "llm-pack-"));
  env = { XDG_CACHE_HOME: join(folder, "cache") };
  artefact = join(folder, "demo-null");
  const { path } = await resolveModel("demo");
  const model = await openModel(path, { name: "demo" });
  const { target } = await findTarget("null");
  await build(await prepare(model, target), { folder: artefact, env });
  await model.close();
});
afterAll(() => rm(folder, { recursive: true }));

test("an artefact comes out as it went in, and only once", async () => {
  const packed = await pack(artefact, { out: join(folder, "one.tar") });
  expect(packed.files).toContain("manifest.json");
  expect(packed.files.some((file) => file.endsWith("tokenizer.json"))).toBe(true);
  expect(await isPack(packed.file)).toBe(true);
  const opened = await unpack(packed.file, env);
  expect(await unpack(packed.file, env)).toBe(opened);
  for (const file of packed.files)
    expect(await readFile(join(opened, file))).toEqual(await readFile(join(artefact, file)));
  expect(await inspect(opened)).toMatchObject({ kind: "artefact", manifest: { target: "null" } });
});

test("any tar unpacks it", async () => {
  const { file, files } = await pack(artefact, { out: join(folder, "plain.tar") });
  const plain = join(folder, "plain");
  await mkdir(plain);
  execFileSync("tar", ["-xf", file, "-C", plain]);
  for (const name of files) expect(await readFile(join(plain, name))).toEqual(await readFile(join(artefact, name)));
});

test("a pack that is broken off, or has no place, leaves nothing behind", async () => {
  const here = await mkdtemp(join(folder, "left-"));
  const signal = AbortSignal.abort();
  await expect(pack(artefact, { out: join(here, "one.tar"), signal })).rejects.toThrow(/abort/);
  const stop = new AbortController();
  const stopped = pack(artefact, { out: join(here, "two.tar"), signal: stop.signal, onProgress: () => stop.abort() });
  await expect(stopped).rejects.toThrow(/abort/);
  await expect(pack(artefact, { out: here })).rejects.toMatchObject({
    code: "option-invalid",
    message: `${here} is a folder; name the file that is to be written (--out)`,
  });
  expect(await readdir(here)).toEqual([]);
  expect((await readdir(folder)).filter((name) => name.endsWith(".partial"))).toEqual([]);
});

describe("a pack that is not what it was", () => {
  const changed = async (name: string, change: (bytes: Buffer) => Buffer) => {
    const { file } = await pack(artefact, { out: join(folder, name) });
    await writeFile(file, change(await readFile(file)));
    return file;
  };

  test.each([
    ["cut off", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), /ends too early/],
    [
      "with a changed byte",
      (bytes: Buffer) => flipped(bytes, bytes.length - 4000),
      /changed on the way|not where it should/,
    ],
    [
      "whose list leaves its folder",
      (bytes: Buffer) => replaced(bytes, '"manifest.json"', '"../ifest.json"'),
      /makes no sense/,
    ],
    [
      "of a newer program",
      (bytes: Buffer) => replaced(bytes, '"schemaVersion": 1', '"schemaVersion": 7'),
      /newer version/,
    ],
  ] as const)("%s is refused, and leaves nothing behind", async (name, change, message) => {
    const file = await changed(`${name}.tar`, change);
    const own = { XDG_CACHE_HOME: join(folder, name) };
    await expect(unpack(file, own)).rejects.toThrow(message);
    expect(await readdir(join(folder, name, "llm", "packed")).catch(() => [])).toEqual([]);
  });
});

test("a pack that is cut off is refused though a whole one was unpacked before", async () => {
  const { file } = await pack(artefact, { out: join(folder, "whole.tar") });
  await unpack(file, env);
  const cut = join(folder, "cut.tar");
  const bytes = await readFile(file);
  await writeFile(cut, bytes.subarray(0, bytes.length - 3000));
  await expect(unpack(cut, env)).rejects.toThrow(/cut\.tar: it ends too early/);
});

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1;
  return bytes;
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.write(to, at);
  return bytes;
}

test.each([0, 1, 511, 8 ** 11 - 1, 8 ** 11, 3 * 2 ** 40])("a header says its %d bytes", (bytes) => {
  expect(readTarHeader(tarHeader({ path: "nets/a.bmodel", bytes, modified: 1.9 }))).toEqual({
    path: "nets/a.bmodel",
    bytes,
    modified: 1,
  });
});

test("what can't be packed says so", async () => {
  const file = join(folder, "notes.txt");
  await writeFile(file, "no artefact");
  await expect(pack(file)).rejects.toThrow(/neither an artefact nor a device's file/);
});
