import { existsSync } from "node:fs";
import type { StoredTensor, WeightExpr, WeightSource } from "@llm/tensor";
import type { OnnxModel } from "../model/onnx-model.ts";
import { fileSource, ramp, sourceOf } from "./file-source.test.support.ts";

const TENSORS = 8;
const SHAPE = [512, 1024];

/** Eight fp32 tensors of two megabytes each, in a file that is made once. */
export function createSourceFile(file: string): WeightSource {
  const tensor = ramp("f32", SHAPE);
  const names = Array.from({ length: TENSORS }, (_, i) => `w${i}`);
  if (!existsSync(file)) return fileSource(file, Object.fromEntries(names.map((name) => [name, tensor])));
  const { length } = tensor.data;
  return sourceOf(
    new Map<string, StoredTensor>(
      names.map((name, i) => [
        name,
        { name, shape: SHAPE, format: "f32", parts: { data: { file, offset: 13 + i * length, length } } },
      ]),
    ),
  );
}

/** Half of them as they are, half transposed, so that something must be written. */
export const model: OnnxModel = {
  name: "large",
  opsets: { "": 17 },
  inputs: [{ name: "x", dtype: "f32", shape: [1] }],
  outputs: Array.from({ length: TENSORS }, (_, i) => ({ name: `y${i}`, dtype: "f32" as const, shape: ["n", "m"] })),
  initializers: Array.from({ length: TENSORS }, (_, i) => {
    const stored: WeightExpr = { op: "tensor", name: `w${i}`, shape: SHAPE };
    const turned: WeightExpr = { op: "permute", of: stored, perm: [1, 0] };
    const [weight, shape] = i % 2 === 0 ? [stored, SHAPE] : [turned, SHAPE.toReversed()];
    return { name: `w${i}`, dtype: "f32" as const, shape, weight };
  }),
  nodes: Array.from({ length: TENSORS }, (_, i) => ({ op: "Mul", inputs: [`w${i}`, "x"], outputs: [`y${i}`] })),
};
