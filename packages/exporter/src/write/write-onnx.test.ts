import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor, type WeightExpr } from "@llm/tensor";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OnnxInitializer, OnnxModel } from "../model/onnx-model.ts";
import { readOnnx } from "../read/read-onnx.ts";
import { fileSource, ramp } from "./file-source.test.support.ts";
import { writeOnnx } from "./write-onnx.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "write-onnx-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const W: WeightExpr = { op: "tensor", name: "w", shape: [6, 8] };
const rows: WeightExpr = { op: "slice", of: W, axis: 0, start: 2, end: 4 };
const columns: WeightExpr = { op: "slice", of: W, axis: 1, start: 0, end: 2 };

function weight(name: string, expr: WeightExpr, shape: readonly number[]): OnnxInitializer {
  return { name, dtype: "f32", shape, weight: expr };
}

/** x · wᵀ for several weights, side by side. */
function products(...weights: OnnxInitializer[]): OnnxModel {
  const value = (name: string) => ({ name, dtype: "f32" as const, shape: ["n", "m"] });
  return {
    name: "products",
    opsets: { "": 17 },
    inputs: [value("x")],
    outputs: weights.map(({ name }) => value(`${name}.y`)),
    initializers: weights,
    nodes: weights.map(({ name }) => ({
      op: "MatMul",
      inputs: [name, "x"],
      outputs: [`${name}.y`],
    })),
  };
}

/** Each initializer's values, as ONNX Runtime sees them: multiplied by the identity. */
async function valuesOf(file: string, width: number): Promise<Record<string, number[]>> {
  const identity = Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const results = await session.run({ x: new ort.Tensor("float32", identity, [width, width]) });
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
}

const ramped = (count: number, from = 0) => Array.from({ length: count }, (_, i) => (from + i) / 8);

describe("writeOnnx", () => {
  const out = () => join(root, "out");
  const source = () => fileSource(join(root, "model.safetensors"), { w: ramp("f32", [6, 8]) });

  test("weights stay in the checkpoint's file, which gets a second name", async () => {
    const model = products(weight("whole", W, [6, 8]), weight("rows", rows, [2, 8]));
    const result = await writeOnnx(model, { folder: out(), name: "model", source: source() });
    expect(result.bytesReferenced).toBe(6 * 8 * 4 + 2 * 8 * 4);
    expect(result.bytesWritten).toBe(statSync(join(out(), "model.onnx")).size);
    expect(readdirSync(out()).sort()).toEqual(["model.onnx", "model.safetensors"]);
    expect(statSync(join(out(), "model.safetensors")).ino).toBe(statSync(join(root, "model.safetensors")).ino);
    expect(await valuesOf(join(out(), "model.onnx"), 8)).toEqual({ "whole.y": ramped(48), "rows.y": ramped(16, 16) });
  });

  test("what is not stored as it is wanted is written beside, and tied weights once", async () => {
    const model = products(weight("columns", columns, [6, 2]), weight("again", columns, [6, 2]));
    const result = await writeOnnx(model, { folder: out(), name: "model", source: source() });
    expect(result.bytesReferenced).toBe(0);
    expect(statSync(join(out(), "model.onnx.data")).size).toBe(6 * 2 * 4);
    const expected = ramped(48).filter((_, i) => i % 8 < 2);
    expect(await valuesOf(join(out(), "model.onnx"), 2)).toEqual({ "columns.y": expected, "again.y": expected });
  });

  test("a copy needs nothing from outside", async () => {
    const result = await writeOnnx(products(weight("whole", W, [6, 8])), {
      folder: out(),
      name: "model",
      source: source(),
      link: "copy",
    });
    expect(result.bytesReferenced).toBe(0);
    rmSync(join(root, "model.safetensors"));
    expect(await valuesOf(join(out(), "model.onnx"), 8)).toEqual({ "whole.y": ramped(48) });
    expect(statSync(join(out(), "model.onnx.data")).nlink).toBe(1);
  });

  test("behind a symbolic link, the real file is linked, under the name the checkpoint has for it", async () => {
    mkdirSync(join(root, "blobs"));
    fileSource(join(root, "blobs", "0123abcd"), { w: ramp("f32", [6, 8]) });
    symlinkSync(join("blobs", "0123abcd"), join(root, "model.safetensors"));
    const { get, ...rest } = fileSource(join(root, "blobs", "0123abcd"), { w: ramp("f32", [6, 8]) });
    const linked = {
      ...rest,
      get: (name: string) => {
        const stored = get(name);
        const data = stored && { ...stored.parts.data, file: join(root, "model.safetensors") };
        return stored && data && { ...stored, parts: { data } };
      },
    };
    await writeOnnx(products(weight("whole", W, [6, 8])), { folder: out(), name: "model", source: linked });
    expect(statSync(join(out(), "model.safetensors")).ino).toBe(statSync(join(root, "blobs", "0123abcd")).ino);
    expect(await valuesOf(join(out(), "model.onnx"), 8)).toEqual({ "whole.y": ramped(48) });
  });

  test("two models in one folder share the link; another file of that name gets a number", async () => {
    const model = products(weight("whole", W, [6, 8]));
    await writeOnnx(model, { folder: out(), name: "a", source: source() });
    const shared = source();
    mkdirSync(join(root, "other"));
    const other = fileSource(join(root, "other", "model.safetensors"), { w: ramp("f32", [6, 8]) });
    await writeOnnx(model, { folder: out(), name: "b", source: shared });
    const { notes } = await writeOnnx(model, { folder: out(), name: "c", source: other });
    expect(notes).toEqual([expect.stringMatching(/out\/model\.safetensors is not this .* in model-2\.safetensors$/)]);
    expect(readdirSync(out()).sort()).toEqual([
      "a.onnx",
      "b.onnx",
      "c.onnx",
      "model-2.safetensors",
      "model.safetensors",
    ]);
    expect(await valuesOf(join(out(), "c.onnx"), 8)).toEqual({ "whole.y": ramped(48) });
  });

  test("what fails half way leaves no older model beside newer data", async () => {
    const names = { name: "model", weightFile: (index: number) => `model.onnx_data${index || ""}` };
    await writeOnnx(products(weight("whole", W, [6, 8])), { folder: out(), ...names, source: source() });
    const model = products(weight("whole", W, [6, 8]));
    const broken = { ...model, nodes: [{ ...model.nodes[0]!, attrs: { axis: { int: 0.5 } } }] };
    const other = fileSource(join(root, "other.safetensors"), { w: ramp("f32", [6, 8]) });
    await expect(writeOnnx(broken, { folder: out(), ...names, source: other })).rejects.toMatchObject({
      code: "graph-invalid",
    });
    expect(statSync(join(out(), "model.onnx_data")).ino).toBe(statSync(join(root, "other.safetensors")).ino);
    expect(readdirSync(out())).toEqual(["model.onnx_data"]);
    // Under the checkpoint's own names nothing is replaced: the older model stays what it was.
    const plain = { folder: out(), name: "plain" };
    await writeOnnx(model, { ...plain, source: source() });
    await expect(writeOnnx(broken, { ...plain, source: other })).rejects.toThrow();
    expect(await valuesOf(join(out(), "plain.onnx"), 8)).toEqual({ "whole.y": ramped(48) });
  });

  test("large constants lie in the data file, small ones in the model", async () => {
    const large = tensor(
      "f32",
      [64, 64],
      Float32Array.from({ length: 4096 }, (_, i) => i),
    );
    const small = tensor("f32", [2, 64], new Float32Array(128).fill(3));
    const model = products({ name: "large", tensor: large }, { name: "small", tensor: small });
    await writeOnnx(model, { folder: out(), name: "model", source: source() });
    const summary = readOnnx(join(out(), "model.onnx"));
    expect(summary.initializers.map(({ bytes }) => bytes)).toEqual([0, 512]);
    const values = await valuesOf(join(out(), "model.onnx"), 64);
    expect(values["large.y"]).toEqual([...large.data]);
    expect(values["small.y"]).toEqual([...small.data]);
  });

  test("the same input gives the same bytes", async () => {
    const model = products(weight("whole", W, [6, 8]), weight("columns", columns, [6, 2]));
    const write = async (folder: string) => {
      await writeOnnx(model, { folder, name: "model", source: source() });
      return ["model.onnx", "model.onnx.data"].map((file) => readFileSync(join(folder, file)));
    };
    expect(await write(join(root, "one"))).toEqual(await write(join(root, "two")));
  });

  test("what bf16 can't hold is counted too", async () => {
    const values = new Float32Array(64).fill(1).with(3, 3.4e38).with(5, -3.4e38).with(6, Number.POSITIVE_INFINITY);
    const data = new Uint8Array(values.buffer);
    const wide = fileSource(join(root, "wide.safetensors"), { w: { dtype: "f32", shape: [8, 8], data } });
    const weight = { op: "tensor", name: "w", shape: [8, 8] } as const;
    const model: OnnxModel = {
      ...products(),
      initializers: [{ name: "w", dtype: "bf16", shape: [8, 8], weight }],
      nodes: [],
      outputs: [],
    };
    const { notes } = await writeOnnx(model, { folder: out(), name: "model", source: wide });
    expect(notes).toEqual(["w: 2 values past bf16's range became infinite"]);
  });

  test("what fp16 can't hold is clipped, and said", async () => {
    const values = new Float32Array(64).fill(1).with(3, 1e5).with(5, -7e4);
    const data = new Uint8Array(values.buffer);
    const wide = fileSource(join(root, "wide.safetensors"), { w: { dtype: "f32", shape: [8, 8], data } });
    const model: OnnxModel = {
      ...products(),
      initializers: [{ name: "w", dtype: "f16", shape: [8, 8], weight: { op: "tensor", name: "w", shape: [8, 8] } }],
      outputs: [{ name: "y", dtype: "f32", shape: ["n", "m"] }],
      nodes: [
        { op: "Cast", inputs: ["w"], outputs: ["c"], attrs: { to: { dtype: "f32" } } },
        { op: "MatMul", inputs: ["c", "x"], outputs: ["y"] },
      ],
    };
    const { notes } = await writeOnnx(model, { folder: out(), name: "model", source: wide });
    expect(notes).toEqual(["w: 2 values past fp16's range were clipped to 65504"]);
    const { y } = await valuesOf(join(out(), "model.onnx"), 8);
    expect(y).toEqual([...values].map((value) => Math.min(Math.max(value, -65504), 65504)));
  });

  test("progress ends at the total", async () => {
    const calls: [number, number][] = [];
    const model = products(weight("columns", columns, [6, 2]), weight("whole", W, [6, 8]));
    await writeOnnx(model, {
      folder: out(),
      name: "model",
      source: source(),
      link: "copy",
      progress: (done, total) => calls.push([done, total]),
    });
    expect(calls.at(-1)).toEqual([240, 240]);
  });

  test("interrupted, or with a checkpoint that ends early, it leaves nothing", async () => {
    const model = products(weight("columns", columns, [6, 2]));
    const stop = new AbortController();
    const slow = { ...source(), read: async () => stop.abort() };
    await expect(writeOnnx(model, { folder: out(), name: "model", source: slow, signal: stop.signal })).rejects.toThrow(
      /abort/i,
    );
    const short = {
      ...source(),
      read: async () => {
        throw new RangeError("ends early");
      },
    };
    await expect(writeOnnx(model, { folder: out(), name: "model", source: short })).rejects.toThrow(/ends early/);
    expect(readdirSync(out())).toEqual([]);
  });

  test("a folder that can't be written is said to be that, in one line", async () => {
    const model = products(weight("whole", W, [6, 8]));
    const checkpoint = source();
    const folder = join(root, "model.safetensors", "out");
    await expect(writeOnnx(model, { folder, name: "model", source: checkpoint })).rejects.toMatchObject({
      code: "write-failed",
      message: expect.stringMatching(/model\.safetensors\/out: [^\n]+$/),
    });
    const file = join(root, "model.safetensors");
    await expect(writeOnnx(model, { folder: file, name: "model", source: checkpoint })).rejects.toThrow(
      `${file}: a file is there; choose a folder to write to`,
    );
  });
});
