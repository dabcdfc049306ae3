import type { Builder, Value } from "@llm/core-ir";
import { GROUP, packedFormat } from "../ort/packed-weights.ts";
import type { LowerContext, Lowering } from "./context.ts";
import { addsBias } from "./residual.ts";

/** Weights lie as checkpoints have them, [out, in] or published transposed; or they are packed, [out, in] too. */
export const lowerLinear: Lowering = (op, b, context) => {
  const [x, w, bias = null] = op.ins;
  const out = op.outs[0]!;
  const packed = choosesExperts(out, context) ? undefined : pack(w!, b, context);
  const next = context.onlyUse(out);
  const owed = bias !== null && context.isLeaf(bias) && next && addsBias(next, out, context);
  if (owed) context.owedBias.set(out.id, bias);
  if (packed) {
    const attrs = { ...context.packing, group: GROUP };
    return [b.op("MatMulNBits", owed || bias === null ? [x!, packed] : [x!, packed, bias], attrs)];
  }
  const product = multiply(x!, w!, b, context);
  return [owed || bias === null ? product : b.add(product, bias)];
};

/** Scores that are rounded choose other experts; the weights that make them are few. */
function choosesExperts(out: Value, context: LowerContext): boolean {
  return context.uses(out).some(({ kind }) => kind === "route");
}

/** The packed weight, apart from others' use of the same tensor: a table that is looked up in stays what it is. */
function pack(w: Value, b: Builder, context: LowerContext): Value | undefined {
  const expr = context.weight(w);
  if (context.packing === undefined || expr === undefined) return undefined;
  return b.weight({ op: "encode", of: expr, format: packedFormat(context.packing.bits) });
}

function multiply(x: Value, w: Value, b: Builder, context: LowerContext): Value {
  const expr = context.weight(w);
  if (expr?.op === "permute" && expr.perm.length === 2 && expr.perm[0] === 1)
    return b.op("FusedMatMul", [x, b.weight(expr.of, w.type.dtype as "f32")], { transB: false });
  return b.op("FusedMatMul", [x, w], { transB: true });
}
