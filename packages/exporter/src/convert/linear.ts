import type { Type, Value } from "@llm/core-ir";
import type { Emission } from "./emission.ts";
import { reshapeTo } from "./reshape.ts";

/** Names of a linear's operands; "" for a bias that isn't there. */
export interface LinearNames {
  readonly x: string;
  readonly w: string;
  readonly b: string;
}

/**
 * x · wᵀ + b with w as published, [out, in]: Gemm takes it as it is, where MatMul would want a transposed copy of every
 * weight. Gemm knows only two axes, so leading ones are flattened.
 */
export function emitLinear(onnx: Emission, { x, w, b }: LinearNames, type: Type, out: Value): void {
  const gemm = { attrs: { transB: { int: 1 } } };
  if (type.shape.length === 2) {
    onnx.node("Gemm", [x, w, b], { ...gemm, outs: [out] });
    return;
  }
  const flat = onnx.node("Reshape", [x, onnx.dims([-1, type.shape.at(-1)!])]);
  reshapeTo(onnx, onnx.node("Gemm", [flat, w, b], gemm), ["", ""], out.type.shape, [out]);
}
