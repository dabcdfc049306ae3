import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NativeError } from "../error.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { type TinyModel, tinyOnnx } from "../testing/tiny-onnx.ts";
import { importOrt } from "./node-binding.ts";
import { openOrt, ortAddonStatus, ortVersion } from "./open.ts";
import type { OrtOptions } from "./session.ts";
import { ortTensor } from "./tensor.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llm-ort-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function model(name: string, parts: TinyModel): string {
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, tinyOnnx(parts));
  return file;
}

const add: TinyModel = {
  nodes: [{ op: "Add", inputs: ["x", "y"], outputs: ["sum"] }],
  inputs: [
    { name: "x", type: "f32", shape: ["n", 2] },
    { name: "y", type: "f32", shape: [2] },
  ],
  outputs: [{ name: "sum", type: "f32", shape: ["n", 2] }],
};
const x = ortTensor("f32", [2, 2], Float32Array.of(1, 2, 3, 4));
const y = ortTensor("f32", [2], Float32Array.of(10, 20));

/** One query head over one key head of eight: what is stored is the value itself, so results can be told by eye. */
function attention(): TinyModel {
  const cache = { type: "f32", shape: ["batch", 1, "capacity", 8] } as const;
  const rows = { type: "f32", shape: ["batch", "tokens", 8] } as const;
  return {
    nodes: [
      {
        op: "GroupQueryAttention",
        domain: "com.microsoft",
        inputs: ["q", "k", "v", "keys", "values", "last", "total"],
        outputs: ["out", "keys'", "values'"],
        ints: { num_heads: 1, kv_num_heads: 1 },
      },
    ],
    inputs: [
      { ...rows, name: "q" },
      { ...rows, name: "k" },
      { ...rows, name: "v" },
      { ...cache, name: "keys" },
      { ...cache, name: "values" },
      { name: "last", type: "i32", shape: ["batch"] },
      { name: "total", type: "i32", shape: [1] },
    ],
    outputs: [
      { ...rows, name: "out" },
      { ...cache, name: "keys'" },
      { ...cache, name: "values'" },
    ],
  };
}

const addon = ortAddonStatus();
const backends = ["onnxruntime-node", "addon"] as const;

describe.each(backends)("%s", (backend) => {
  const open = (file: string, options: OrtOptions = {}) => openOrt(file, { ...options, backend });
  if (backend === "addon" && !addon.used && skipWithout(false)) {
    test.skip(`needs the addon: ${addon.reason}`, () => {});
    return;
  }

  describe("a loaded model", () => {
    test("says what it takes and gives", async () => {
      const session = await open(model("ports", add));
      expect(session.inputs).toEqual([
        { name: "x", dtype: "f32", shape: ["n", 2] },
        { name: "y", dtype: "f32", shape: [2] },
      ]);
      expect(session.outputs).toEqual([{ name: "sum", dtype: "f32", shape: ["n", 2] }]);
      expect(session.version).toMatch(/^1\.\d+/);
      await session.close();
    });

    test("makes new outputs, and writes given ones where they are", async () => {
      const session = await open(model("outputs", add));
      const fresh = await session.run({ x, y }, { sum: null });
      expect(fresh.sum).toEqual({ dtype: "f32", shape: [2, 2], data: Float32Array.of(11, 22, 13, 24) });

      const memory = new Float32Array(8).fill(-1);
      const sum = ortTensor("f32", [2, 2], memory.subarray(2, 6));
      expect((await session.run({ x, y }, { sum })).sum).toBe(sum);
      expect([...memory]).toEqual([-1, -1, 11, 22, 13, 24, -1, -1]);
      await session.close();
    });

    test("reads its weights from a file beside it, unaligned", async () => {
      writeFileSync(
        join(folder, "weights.bin"),
        Buffer.concat([Buffer.from("abc"), Buffer.from(Float32Array.of(5, 6).buffer)]),
      );
      const file = model("external", {
        ...add,
        inputs: [add.inputs[0]!],
        weights: [{ name: "y", shape: [2], file: "weights.bin", offset: 3 }],
      });
      const session = await open(file, { threads: 1 });
      expect((await session.run({ x }, { sum: null })).sum?.data).toEqual(Float32Array.of(6, 8, 8, 10));
      await session.close();
    });

    test("takes half floats as raw bits, whatever the language has by now", async () => {
      const port = { type: "f16", shape: [2] } as const;
      const file = model("halves", {
        nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
        inputs: [{ ...port, name: "x" }],
        outputs: [{ ...port, name: "y" }],
      });
      const session = await open(file);
      const result = await session.run({ x: ortTensor("f16", [2], Uint16Array.of(0x3c00, 0xc000)) }, { y: null });
      expect(result.y?.data).toEqual(Uint16Array.of(0xbc00, 0x4000));
      expect(new globalThis.Float16Array(1)).toHaveLength(1);
      await session.close();
    });
  });

  test("attention updates a cache in place, in a part of a larger one", async () => {
    const session = await open(model("attention", attention()));
    const memory = new Float32Array(3 * 4 * 8).fill(Number.NaN); // (slot, capacity, dim): never written is NaN
    const slot = ortTensor("f32", [1, 1, 4, 8], memory.subarray(32, 64));
    const values = ortTensor("f32", [1, 1, 4, 8]);
    const zero = ortTensor("f32", [1, 1, 8]);
    const row = (value: number) => ortTensor("f32", [1, 1, 8], new Float32Array(8).fill(value));
    for (const at of [0, 1]) {
      const last = ortTensor("i32", [1], Int32Array.of(at));
      const total = ortTensor("i32", [1], Int32Array.of(at + 1));
      const result = await session.run(
        { q: zero, k: row(at + 1), v: row(at + 1), keys: slot, values, last, total },
        { out: null, "keys'": slot, "values'": values },
      );
      expect(result.out?.data[0]).toBeCloseTo(at === 0 ? 1 : 1.5); // equal scores: the mean
    }
    expect([...memory.subarray(32, 48)]).toEqual([...Array(8).fill(1), ...Array(8).fill(2)]);
    expect(memory.subarray(0, 32).every(Number.isNaN) && memory.subarray(48).every(Number.isNaN)).toBe(true);
    await session.close();
  });

  describe("what goes wrong is one line with a code", () => {
    async function failure(attempt: Promise<unknown>): Promise<{ code: string; message: string }> {
      const error = await attempt.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!NativeError.isInstance(error)) throw new Error("no NativeError", { cause: error });
      expect(error.message).not.toContain("\n");
      return error;
    }

    test("a file that isn't there, one that is no model", async () => {
      expect(await failure(open(join(folder, "none.onnx")))).toMatchObject({ code: "model-missing" });
      writeFileSync(join(folder, "bad.onnx"), "not a model");
      expect(await failure(open(join(folder, "bad.onnx")))).toMatchObject({ code: "model-invalid" });
    });

    test("weights that aren't there, or end too early", async () => {
      const weights = [{ name: "y", shape: [2], file: "gone.bin", offset: 0 }];
      const file = model("gone", { ...add, inputs: [add.inputs[0]!], weights });
      expect(await failure(open(file))).toMatchObject({ code: "model-invalid" });
      writeFileSync(join(folder, "gone.bin"), "1234");
      expect(await failure(open(file))).toMatchObject({ code: "model-invalid" });
    });

    test.each([
      ["a missing input", { x }, /input "y" is missing/],
      ["an unknown input", { x, y, z: y }, /no input "z"/],
      ["another type", { x, y: ortTensor("i32", [2]) }, /"y" is i32 and must be f32/],
      ["another shape", { x: ortTensor("f32", [2, 3]), y }, /"x" is \[2, 3\] and must be \[n, 2\]/],
      ["too little data", { x: ortTensor("f32", [2, 2], new Float32Array(3)), y }, /needs 4 elements/],
    ])("%s", async (_, inputs, message) => {
      const session = await open(model("inputs", add));
      expect(await failure(session.run(inputs, { sum: null }))).toMatchObject({
        code: "input-invalid",
        message: expect.stringMatching(message),
      });
      expect((await session.run({ x, y }, { sum: null })).sum?.data[0]).toBe(11); // and it still runs
      await session.close();
    });

    test("an output that isn't one, and a closed model", async () => {
      const session = await open(model("closed", add));
      expect(await failure(session.run({ x, y }, { difference: null }))).toMatchObject({ code: "input-invalid" });
      await session.close();
      await session.close();
      expect(await failure(session.run({ x, y }, { sum: null }))).toMatchObject({ code: "closed" });
    });

    test("what the runtime refuses while it runs", async () => {
      const file = model("run", {
        ...add,
        inputs: [add.inputs[0]!, { name: "y", type: "f32", shape: ["m", 2] }],
      });
      const session = await open(file);
      const three = ortTensor("f32", [3, 2]);
      expect(await failure(session.run({ x, y: three }, { sum: null }))).toMatchObject({ code: "run-failed" });
      await session.close();
    });
  });
});

test.skipIf(skipWithout(addon.used))("the addon leaves the event loop free while a model runs", async () => {
  const port = { type: "f32", shape: ["n", "n"] } as const;
  const file = model("busy", {
    nodes: [{ op: "MatMul", inputs: ["x", "x"], outputs: ["y"] }],
    inputs: [{ ...port, name: "x" }],
    outputs: [{ ...port, name: "y" }],
  });
  const session = await openOrt(file, { threads: 1 });
  let turns = 0;
  let running = true;
  const turn = () => {
    turns++;
    if (running) setTimeout(turn, 1);
  };
  turn();
  await session.run({ x: ortTensor("f32", [2500, 2500]) }, { y: null });
  running = false;
  expect(turns).toBeGreaterThan(3); // 30 billion operations take many milliseconds, however coarse timers are
  await session.close();
});

test.skipIf(skipWithout(addon.used))("a model that is closed while it runs still answers", async () => {
  const session = await openOrt(model("close", add));
  const running = session.run({ x, y }, { sum: null });
  await session.close();
  expect((await running).sum?.data[0]).toBe(11);
});

test.skipIf(skipWithout(addon.used))("memory that was sent away is refused, not read", async () => {
  const session = await openOrt(model("moved", add));
  const gone = ortTensor("f32", [2, 2]);
  await session.run({ x: gone, y }, { sum: null });
  structuredClone(gone.data.buffer, { transfer: [gone.data.buffer as ArrayBuffer] });
  await expect(session.run({ x: gone, y }, { sum: null })).rejects.toMatchObject({ code: "input-invalid" });
  await session.close();
});

test("the runtime says which one it is", async () => {
  expect(await ortVersion()).toMatch(/^1\.\d+\.\d+/);
});

test("a runtime that isn't there is told from one that the system won't load", async () => {
  const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  const refused = new Error("libonnxruntime.so.1: failed to map segment from shared object");
  await expect(importOrt(() => Promise.reject(missing))).rejects.toThrow("is not installed: npm install");
  await expect(importOrt(() => Promise.reject(refused))).rejects.toMatchObject({
    code: "runtime-missing",
    message: `onnxruntime-node can't be loaded: ${refused.message}`,
  });
});
