import type { Type, Value } from "@llm/core-ir";
import type { Emission } from "./emission.ts";
import { reshapeTo } from "./reshape.ts";

/** A linear's operands: x with its type, w, and the name of the bias or "". */
export interface LinearOperands {
  readonly x: string;
  readonly type: Type;
  readonly w: Value;
  readonly b: string;
}

/**
 * x · wᵀ + b with w as published, [out, in] or [in, out]: Gemm takes both as they lie, where MatMul would want a transposed
 * copy of every weight. Gemm knows only two axes, so leading ones are flattened.
 */
export function emitLinear(onnx: Emission, operands: LinearOperands, out: Value): void {
  const { x, type, b } = operands;
  const w = onnx.name(operands.w);
  const gemm = { attrs: { transB: { int: onnx.isTransposed(operands.w) ? 0 : 1 } } };
  if (type.shape.length === 2) {
    onnx.node("Gemm", [x, w, b], { ...gemm, outs: [out] });
    return;
  }
  const flat = onnx.node("Reshape", [x, onnx.dims([-1, type.shape.at(-1)!])]);
  reshapeTo(onnx, onnx.node("Gemm", [flat, w, b], gemm), ["", ""], out.type.shape, [out]);
}
