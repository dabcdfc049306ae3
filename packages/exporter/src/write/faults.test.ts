import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readOnnx } from "../read/read-onnx.ts";
import { createSourceFile, model } from "./large-model.test.support.ts";
import { writeOnnx } from "./write-onnx.ts";

const child = fileURLToPath(new URL("./export-child.test.support.ts", import.meta.url));
let root: string;
let checkpoint: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "faults-"));
  [checkpoint, folder] = [join(root, "model.safetensors"), join(root, "out")];
  createSourceFile(checkpoint);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What has its final name must be whole: every tensor inside the files it names. */
function expectWhole(): void {
  const file = join(folder, "model.onnx");
  if (!existsSync(file)) return;
  for (const { external } of readOnnx(file).initializers)
    if (external !== undefined)
      expect(external.offset + external.length!).toBeLessThanOrEqual(statSync(join(folder, external.location)).size);
}

const WHOLE = ["model.onnx", "model.onnx.data", "model.safetensors"];

describe("an export that is killed", () => {
  test("leaves nothing that looks finished, at any of 50 moments, and the next one succeeds", async () => {
    let unfinished = 0;
    for (let round = 0; round < 50; round++) {
      const running = spawn(process.execPath, [child, checkpoint, folder, "1000"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const ended = new Promise((resolve) => running.on("exit", resolve));
      // From its first word on it exports without a pause.
      await new Promise((resolve) => running.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
      running.kill("SIGKILL");
      await ended;
      if (existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".tmp"))) unfinished++;
      expectWhole();
    }
    expect(unfinished).toBeGreaterThan(5); // else it was killed where nothing could go wrong
    const { files } = await writeOnnx(model, { folder, name: "model", source: createSourceFile(checkpoint) });
    expect(readdirSync(folder).sort()).toEqual(files.map(({ path }) => path).sort());
    const session = await ort.InferenceSession.create(join(folder, "model.onnx"));
    const { y1 } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(1), [1]) });
    expect((y1.data as Float32Array).slice(0, 3)).toEqual(Float32Array.of(0, 0, 0)); // column 0 of a ramp of 64
    await session.release();
  }, 300_000);
});

test("two exports of one model into one folder at once don't disturb each other", async () => {
  const source = createSourceFile(checkpoint);
  await Promise.all(Array.from({ length: 4 }, () => writeOnnx(model, { folder, name: "model", source })));
  expectWhole();
  expect(readdirSync(folder).sort()).toEqual(WHOLE);
});

test("nor do two processes", async () => {
  const processes = [0, 1].map(
    () =>
      new Promise<string>((resolve, reject) =>
        execFile(process.execPath, [child, checkpoint, folder, "8"], (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        ),
      ),
  );
  expect(await Promise.all(processes)).toEqual(["begun\ndone\n", "begun\ndone\n"]);
  expectWhole();
  expect(readdirSync(folder).sort()).toEqual(WHOLE);
});

/** What there is but for the checkpoint's own file, which is linked to where that can be, and then takes no room. */
const written = () => readdirSync(folder).filter((name) => name !== "model.safetensors");

/** From here on every file that is written to is on a disk of so many bytes, until this is undone. */
async function limitDisk(bytes: number): Promise<() => void> {
  const file = await open(checkpoint, "r");
  const handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  const { write } = handles;
  let left = bytes;
  vi.spyOn(handles, "write").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
    left -= args[2] as number;
    if (left < 0) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    return Reflect.apply(write, this, args);
  } as FileHandle["write"]);
  return () => vi.restoreAllMocks();
}

test("a full disk is one line that says so, nothing is left, and once there is room the same call succeeds", async () => {
  const source = createSourceFile(checkpoint);
  const write = () => writeOnnx(model, { folder, name: "model", source });
  const undo = await limitDisk(2 ** 20);
  try {
    await expect(write()).rejects.toMatchObject({
      code: "disk-full",
      message: expect.stringMatching(/^[^\n]*model\.onnx\.data: no space left on the disk[^\n]*$/),
    });
  } finally {
    undo();
  }
  expect(written()).toEqual([]);
  await write();
  expectWhole();
  expect(written().sort()).toEqual(["model.onnx", "model.onnx.data"]);
});

test.skipIf(process.platform === "win32")("nor is anything left where the system lets no file become so large", () => {
  const exported = (limit: string) =>
    spawnSync("sh", ["-c", `${limit} exec "$@"`, "sh", process.execPath, child, checkpoint, folder, "1"], {
      encoding: "utf8",
    }).stdout;
  expect(exported("ulimit -f 2048;")).toMatch(
    /^begun\nwrite-failed: [^\n]*model\.onnx\.data: can't be written \(EFBIG\)\n$/,
  );
  expect(written()).toEqual([]);
  expect(exported("")).toBe("begun\ndone\n");
  expect(written().sort()).toEqual(["model.onnx", "model.onnx.data"]);
});
