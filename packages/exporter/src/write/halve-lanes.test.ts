import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bf16ToNumber } from "@llm/tensor";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DurableFile } from "./durable-file.ts";
import { halveInLanes } from "./halve-lanes.ts";
import type { HalveJob } from "./halve-worker.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "llm-lanes-"));
});
afterEach(() => rmSync(root, { recursive: true }));

async function halved(jobs: readonly HalveJob[], signal = new AbortController().signal) {
  const path = join(root, "out");
  let bytes = 0;
  const written = (count: number) => {
    bytes += count;
  };
  await using file = await DurableFile.create(path);
  const clipped = await halveInLanes(jobs, file, { signal, written });
  await file.finish();
  const all = readFileSync(path);
  return { clipped, bytes, values: new Float16Array(all.buffer, all.byteOffset, all.length / 2) };
}

test("stretches of several files, longer than a lane takes at once, land where they belong", async () => {
  const count = 2 ** 19 + 77;
  const bits = Uint16Array.from({ length: count }, (_, i) => (i * 7919) & 0xffff);
  writeFileSync(join(root, "a"), new Uint8Array(bits.buffer));
  writeFileSync(join(root, "b"), new Uint8Array(Float32Array.of(0, 0.1, 1e6, -7).buffer));
  const { clipped, bytes, values } = await halved([
    { file: join(root, "a"), offset: 0, count, from: "bf16", at: 8 },
    { file: join(root, "b"), offset: 4, count: 3, from: "f32", at: 0 },
  ]);
  const expected = Array.from(bits, (one) => {
    const value = bf16ToNumber(one);
    const half = Math.f16round(value);
    return Math.abs(half) === Number.POSITIVE_INFINITY ? Math.sign(half) * 65504 : half;
  });
  expect([...values.subarray(0, 3)]).toEqual([Math.f16round(0.1), 65504, -7]);
  expect(values.subarray(4).every((value, i) => Object.is(value, expected[i]))).toBe(true);
  expect(clipped).toEqual([bits.filter((one) => Math.abs(bf16ToNumber(one)) >= 65520).length, 1]);
  expect(bytes).toBe(2 * (count + 3));
});

test("a file that ends too early is named", async () => {
  writeFileSync(join(root, "short"), new Uint8Array(10));
  const job = { file: join(root, "short"), offset: 0, count: 8, from: "bf16", at: 0 } as const;
  await expect(halved([job])).rejects.toMatchObject({
    code: "file-invalid",
    message: expect.stringContaining("short"),
  });
});

test("stops when it is told to", async () => {
  writeFileSync(join(root, "a"), new Uint8Array(16));
  const job = { file: join(root, "a"), offset: 0, count: 8, from: "bf16", at: 0 } as const;
  await expect(halved([job], AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
});
