import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

describe("an export that is killed", () => {
  test("leaves nothing that looks finished, at any of 50 moments, and the next one succeeds", async () => {
    for (let round = 0; round < 50; round++) {
      const running = spawn(process.execPath, [child, checkpoint, folder, "1000"], { stdio: "ignore" });
      const ended = new Promise((resolve) => running.on("exit", resolve));
      // The process needs about 150 ms to start; from then on it exports without a pause.
      await new Promise((resolve) => setTimeout(resolve, 120 + round * 4));
      running.kill("SIGKILL");
      await ended;
      expectWhole();
    }
    const { files } = await writeOnnx(model, { folder, name: "model", source: createSourceFile(checkpoint) });
    expect(readdirSync(folder).sort()).toEqual(files.map(({ path }) => path).sort());
    const session = await ort.InferenceSession.create(join(folder, "model.onnx"));
    const { y1 } = await session.run({ x: new ort.Tensor("float32", Float32Array.of(1), [1]) });
    expect((y1.data as Float32Array).slice(0, 3)).toEqual(Float32Array.of(0, 0, 0)); // column 0 of a ramp of 64
    await session.release();
  }, 120_000);
});

test("two exports of one model into one folder at once don't disturb each other", async () => {
  const source = createSourceFile(checkpoint);
  await Promise.all(Array.from({ length: 4 }, () => writeOnnx(model, { folder, name: "model", source })));
  expectWhole();
  expect(readdirSync(folder).sort()).toEqual(["model.onnx", "model.onnx.data", "model.safetensors"]);
});

/** A file system of one megabyte, where this user may make one. */
const CAN_MOUNT = spawnSync("unshare", ["-rm", "true"]).status === 0;

test("a full disk is one line that says so, and nothing is left", (context) => {
  if (!CAN_MOUNT) {
    if (process.env.LLM_TEST_REQUIRE_ALL === "1") expect.fail("unshare -rm must work");
    context.skip("needs user namespaces: install util-linux and allow unprivileged `unshare -rm`");
  }
  mkdirSync(folder);
  const script = 'mount -t tmpfs -o size=1m tmpfs "$1" && "$2" "$3" "$4" "$1" 1; ls -A "$1"';
  const printed = execFileSync(
    "unshare",
    ["-rm", "sh", "-c", script, "sh", folder, process.execPath, child, checkpoint],
    {
      encoding: "utf8",
    },
  );
  expect(printed).toMatch(/^disk-full: [^\n]*model\.onnx\.data: no space left on the disk[^\n]*\n$/);
});
