import { describe, expect, it } from "vitest";
import { bind, requireBound } from "./bind.ts";
import { memorySource } from "./memory-source.ts";
import type { Tensor } from "./tensor.ts";
import type { WeightExpr } from "./weight-expr.ts";
import { withoutZeroBiases } from "./zero-biases.ts";

const tensor = (shape: number[], fill = 0): Tensor => ({
  dtype: "f32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b)).fill(fill),
});
const weight: WeightExpr = { op: "tensor", name: "q.weight", shape: [4, 2] };

async function unusedOf(tensors: Record<string, Tensor>) {
  const source = memorySource({ "q.weight": tensor([4, 2], 1), ...tensors });
  return withoutZeroBiases(bind([weight], source), source);
}

describe("unused biases", () => {
  it("do no harm when they are zero, -0 too", async () => {
    const signed = { ...tensor([4]), data: Float32Array.of(0, -0, 0, -0) };
    const binding = await unusedOf({ "q.bias": signed });
    expect(requireBound(binding)).toEqual([weight]);
    expect(binding.ignored).toEqual([{ name: "q.bias", reason: "a bias of zeros, which adds nothing" }]);
  });

  it.each([
    ["one value is not zero", { "q.bias": { ...tensor([4]), data: Float32Array.of(0, 0, 1e-30, 0) } }],
    ["one value is not a number", { "q.bias": { ...tensor([4]), data: Float32Array.of(0, Number.NaN, 0, 0) } }],
    ["nobody uses the weight", { "r.weight": tensor([4, 2]), "r.bias": tensor([4]) }],
    ["it is a matrix", { "q.bias": tensor([4, 2]) }],
  ])("are left over where %s", async (_, tensors) => {
    const { unused } = await unusedOf(tensors);
    expect(unused).toEqual(Object.keys(tensors));
  });
});
