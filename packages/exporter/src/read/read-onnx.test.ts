import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "@llm/tensor";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { ExportError } from "../error.ts";
import type { OnnxModel } from "../model/onnx-model.ts";
import { encodeModel } from "../model/to-proto.ts";
import { readOnnx } from "./read-onnx.ts";

const folder = mkdtempSync(join(tmpdir(), "read-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model: OnnxModel = {
  name: "two ops",
  opsets: { "": 17, "com.example": 1 },
  inputs: [{ name: "ids", dtype: "i32", shape: ["batch", "past + seq", 4] }],
  outputs: [{ name: "y", dtype: "f16", shape: [] }],
  initializers: [
    { name: "inside", tensor: tensor("f32", [3], new Float32Array(3)) },
    { name: "outside", dtype: "f16", shape: [70000, 2], weight: { op: "tensor", name: "w", shape: [70000, 2] } },
  ],
  nodes: [
    { op: "Add", inputs: ["ids", "ids"], outputs: ["a"] },
    { op: "Add", inputs: ["a", "ids"], outputs: ["b"], name: "second" },
    {
      op: "Custom",
      domain: "com.example",
      inputs: ["b", "", "outside"],
      outputs: ["y"],
      attrs: {
        n: { int: -3 },
        fs: { floats: [0.5] },
        s: { string: "é" },
        t: { tensor: tensor("i64", [1], new BigInt64Array([1n])) },
      },
    },
  ],
  metadata: { licence: "apache-2.0", fingerprint: "abc" },
};
const placed = new Map([["outside", { location: "model.safetensors", offset: 4_294_967_297, length: 280_000 }]]);
const bytes = encodeModel(model, placed);

function written(content: Uint8Array): string {
  const file = join(folder, "model.onnx");
  writeFileSync(file, content);
  return file;
}

describe("readOnnx", () => {
  test("says what the file holds", () => {
    expect(readOnnx(written(bytes))).toEqual({
      name: "two ops",
      producer: "llm",
      producerVersion: "",
      irVersion: 8,
      opsets: { "": 17, "com.example": 1 },
      metadata: { fingerprint: "abc", licence: "apache-2.0" },
      inputs: [{ name: "ids", type: "int32", shape: ["batch", "past + seq", 4] }],
      outputs: [{ name: "y", type: "float16", shape: [] }],
      ops: [
        { op: "Add", domain: "", count: 2 },
        { op: "Custom", domain: "com.example", count: 1 },
      ],
      functions: [],
      initializers: [
        { name: "inside", type: "float", shape: [3], bytes: 12 },
        {
          name: "outside",
          type: "float16",
          shape: [70000, 2],
          bytes: 0,
          external: { location: "model.safetensors", offset: 4_294_967_297, length: 280_000 },
        },
      ],
      externalFiles: [{ location: "model.safetensors", tensors: 1, bytes: 280_000 }],
    });
  });

  test("the same model has the same bytes", () => {
    expect(encodeModel(structuredClone(model), placed)).toEqual(bytes);
  });

  test("cut anywhere, it says so or reads what is whole", () => {
    for (let length = 0; length < bytes.length; length++) {
      try {
        readOnnx(written(bytes.subarray(0, length)));
      } catch (error) {
        expect(ExportError.isInstance(error), `cut at ${length}: ${error}`).toBe(true);
      }
    }
  });

  test("damaged anywhere, nothing but an ExportError comes out", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (flips) => {
          const damaged = bytes.slice();
          for (const [at, value] of flips) damaged[at] = value;
          try {
            readOnnx(written(damaged));
          } catch (error) {
            expect(ExportError.isInstance(error), String(error)).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    ["an empty file", new Uint8Array(0), /holds no graph/],
    ["another format", new TextEncoder().encode("PK\u0003\u0004 not a model"), /not an ONNX model/],
    ["a field longer than the file", Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), /goes past its end/],
    ["a number without an end", new Uint8Array(20).fill(0xff), /without an end/],
  ])("%s is refused", (_, content, message) => {
    expect(() => readOnnx(written(content))).toThrow(message);
  });

  test("a header field that would fill the memory is refused unread", () => {
    const file = written(Uint8Array.of(0x12, 0x81, 0x80, 0x80, 0x08)); // producer name, 16 MiB + 1
    writeFileSync(file, new Uint8Array(16 * 2 ** 20 + 1), { flag: "a" });
    expect(() => readOnnx(file)).toThrow(expect.objectContaining({ code: "limit-exceeded" }));
  });

  test("a missing file and a folder are said to be that", () => {
    expect(() => readOnnx(join(folder, "none.onnx"))).toThrow(expect.objectContaining({ code: "file-missing" }));
    expect(() => readOnnx(folder)).toThrow(expect.objectContaining({ code: "file-invalid" }));
  });
});
