import { type Op, sameType, type Value } from "@llm/core-ir";
import { activationAddsBias } from "./activation.ts";
import type { LowerContext, Lowering } from "./context.ts";
import { isPlainNorm, normWeight } from "./norm.ts";

/** Whether `op`, which uses a linear's result, can add the linear's bias in passing. */
export function addsBias(op: Op, result: Value, context: LowerContext): boolean {
  if (activationAddsBias(op)) return true;
  if (!isSum(op) || !normAfter(op, context)) return false;
  // One bias is all that the fused op takes.
  const other = op.ins.find((value) => value!.id !== result.id);
  return other != null && !context.owedBias.has(other.id);
}

/** A residual connection whose sum is normed is one op with the norm: the sum is still there for others. */
export const lowerResidual: Lowering = (op, b, context) => {
  if (!isSum(op)) return undefined;
  const [x, skip] = op.ins;
  const norm = normAfter(op, context);
  if (!norm) return undefined;
  const [, , bias = null] = norm.ins;
  const owed = context.owedBias.get(x!.id) ?? context.owedBias.get(skip!.id) ?? null;
  const kind = norm.attrs.kind === "layer" ? "SkipLayerNormalization" : "SkipSimplifiedLayerNormalization";
  const [normed, sum] = b.ops(kind, [x!, skip!, normWeight(norm, b, context), bias, owed], { eps: norm.attrs.eps! });
  context.normed.set(norm.outs[0]!.id, normed!);
  return [sum!];
};

function isSum(op: Op): boolean {
  if (op.kind !== "binary" || op.attrs.fn !== "add") return false;
  const [x, y] = op.ins;
  return x!.type.dtype === "f32" && sameType(x!.type, y!.type) && x!.id !== y!.id;
}

/** The first norm of a sum that the fused op can do. */
function normAfter(op: Op, context: LowerContext): Op | undefined {
  return context.uses(op.outs[0]!).find((use) => {
    if (use.kind !== "norm" || !isPlainNorm(use)) return false;
    const [, w, bias] = use.ins;
    const leaves = (w == null || context.isLeaf(w)) && (bias == null || context.isLeaf(bias));
    return leaves && (use.attrs.kind === "layer" || bias == null);
  });
}
