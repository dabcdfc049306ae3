import type { Builder, Value } from "@llm/core-ir";
import type { LowerContext, Lowering } from "./context.ts";
import { addsBias } from "./residual.ts";

/** Weights lie as checkpoints have them: [out, in], or [in, out] where they were published transposed. */
export const lowerLinear: Lowering = (op, b, context) => {
  const [x, w, bias = null] = op.ins;
  const out = op.outs[0]!;
  const product = multiply(x!, w!, b, context);
  if (bias === null) return [product];
  const next = context.onlyUse(out);
  if (next && context.isLeaf(bias) && addsBias(next, out, context)) {
    context.owedBias.set(out.id, bias);
    return [product];
  }
  return [b.add(product, bias)];
};

function multiply(x: Value, w: Value, b: Builder, context: LowerContext): Value {
  const expr = context.weight(w);
  if (expr?.op === "permute" && expr.perm.length === 2 && expr.perm[0] === 1)
    return b.op("FusedMatMul", [x, b.weight(expr.of, w.type.dtype as "f32")], { transB: false });
  return b.op("FusedMatMul", [x, w], { transB: true });
}
