import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OnnxModel, writeOnnx } from "@llm/exporter";
import { openOrt, ortTensor } from "@llm/runtime-native/ort";
import { memorySource, tensor } from "@llm/tensor";
import { expect, test } from "vitest";
import { clipWideWeights } from "./clip-wide-weights.ts";

const source = memorySource({
  wide: tensor("f32", [4], Float32Array.of(1e6, -1e9, 3, -65504)),
  near: tensor("f32", [4], Float32Array.of(65504, -2, 0, 1)),
  half: tensor("f16", [4], Uint16Array.of(0x7bff, 0xfbff, 0, 0x3c00)),
});
const weight = (name: string) =>
  ({ name, dtype: "f32", shape: [4], weight: { op: "tensor", name, shape: [4] } }) as const;
const model: OnnxModel = {
  name: "sum",
  opsets: { "": 15 },
  inputs: [{ name: "x", dtype: "f32", shape: [4] }],
  outputs: [{ name: "y", dtype: "f32", shape: [4] }],
  initializers: [weight("wide"), weight("near"), weight("half")],
  nodes: [
    { op: "Sum", inputs: ["x", "wide"], outputs: ["a"] },
    { op: "Sum", inputs: ["near", "half"], outputs: ["b"] },
    { op: "Sub", inputs: ["a", "b"], outputs: ["y"] },
  ],
};

test("clips the weights that are out of range, and only those", async () => {
  const clipped = await clipWideWeights(model, source);
  expect(clipped.nodes.filter(({ op }) => op === "Clip").map(({ outputs }) => outputs)).toEqual([["wide"]]);
  const folder = mkdtempSync(join(tmpdir(), "llm-aic100-clip-"));
  try {
    await writeOnnx(clipped, { folder, name: "sum", source, link: "copy" });
    const session = await openOrt(join(folder, "sum.onnx"), { threads: 1 });
    const { y } = await session.run({ x: ortTensor("f32", [4]) }, { y: null });
    expect([...(y!.data as Float32Array)]).toEqual([65504 - 2 * 65504, -65504 + 2 + 65504, 3, -65504 - 2]);
    await session.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("leaves a model that is within it alone", async () => {
  const within = { ...model, initializers: model.initializers.slice(1), nodes: model.nodes.slice(1) };
  expect(await clipWideWeights(within, source)).toBe(within);
});
