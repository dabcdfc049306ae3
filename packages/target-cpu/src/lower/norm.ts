import type { Builder, Op, Value } from "@llm/core-ir";
import { tensor } from "@llm/tensor";
import type { LowerContext, Lowering } from "./context.ts";

/** Over the last axis alone, by a weight and a bias of that axis. */
export function isPlainNorm(op: Op): boolean {
  const [x, w, bias] = op.ins;
  const oneAxis = (value: Value | null | undefined) => value == null || value.type.shape.length === 1;
  return (op.attrs.axes ?? 1) === 1 && typeof x!.type.shape.at(-1) === "number" && oneAxis(w) && oneAxis(bias);
}

/** A norm's weight as the kernels want it: there, and not stored less 1. */
export function normWeight(op: Op, b: Builder, context: LowerContext): Value {
  const [x, w] = op.ins;
  if (!w) return ones(x!, b, context);
  return op.attrs.plusOne ? b.add(w, b.scalar(1, w)) : w;
}

export const lowerNorm: Lowering = (op, b, context) => {
  const done = context.normed.get(op.outs[0]!.id);
  if (done) return [done];
  const { kind, eps, axes = 1 } = op.attrs;
  const [x, w, bias = null] = op.ins;
  if (axes !== 1 || typeof x!.type.shape.at(-1) !== "number") return undefined;
  // ONNX's own layer norm is written as it is.
  if (kind === "layer" && isPlainNorm(op) && !op.attrs.plusOne) return undefined;
  const plain = isPlainNorm(op);
  const scale = plain ? normWeight(op, b, context) : ones(x!, b, context);
  const normed =
    kind === "rms"
      ? b.op("SimplifiedLayerNormalization", [x!, scale], { eps: eps! })
      : b.norm(x!, { kind: "layer", eps: eps as number }, scale);
  const scaled = plain || !w ? normed : b.mul(normed, normWeight(op, b, context));
  return [bias ? b.add(scaled, bias) : scaled];
};

function ones(x: Value, b: Builder, context: LowerContext): Value {
  const width = x.type.shape.at(-1) as number;
  return context.once(`ones ${width}`, () => b.constant(tensor("f32", [width], new Float32Array(width).fill(1))));
}
