import type { WeightExpr } from "../weight-expr.ts";

/** A checkpoint tensor that an expression may read. */
export interface WeightLeaf {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The checkpoint tensors an expression may read, alternatives included, in order, each name once. */
export function leavesOf(expr: WeightExpr): readonly WeightLeaf[] {
  const leaves = new Map<string, WeightLeaf>();
  const visit = (part: WeightExpr): void => {
    if (part.op === "tensor") {
      if (!leaves.has(part.name)) leaves.set(part.name, { name: part.name, shape: part.shape });
    } else if ("of" in part) {
      if ("op" in part.of) visit(part.of);
      else part.of.forEach(visit);
    }
  };
  visit(expr);
  return [...leaves.values()];
}
