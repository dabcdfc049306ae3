import type { Graph, Op } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";

/**
 * Weights of linears that checkpoints store [in, out], as GPT-2's Conv1D does, by id, each with what is stored. Gemm takes
 * either layout, so they are written as they lie instead of being turned; `ours` says which ops our own Gemm writes.
 */
export function storedTransposed(graph: Graph, ours: (op: Op) => boolean): ReadonlyMap<string, WeightExpr> {
  const candidates = new Map<string, WeightExpr>();
  for (const { value, expr } of graph.weights) {
    const stored = untransposed(expr);
    if (stored !== undefined && value.type.shape.length === 2) candidates.set(value.id, stored);
  }
  if (candidates.size === 0) return candidates;
  for (const op of graph.ops) {
    const needed = takesEither(op) && ours(op) ? op.ins.filter((_, at) => at !== 1) : op.ins;
    for (const value of needed) if (value) candidates.delete(value.id);
  }
  for (const { id } of graph.outputs) candidates.delete(id);
  return candidates;
}

function takesEither({ kind, attrs }: Op): boolean {
  return kind === "linear" || (kind === "matmul" && attrs.transposeB === true);
}

/** The expression that `expr` is the transpose of, where it says so outright. */
export function untransposed(expr: WeightExpr): WeightExpr | undefined {
  if (expr.op === "permute") return expr.perm.length === 2 && expr.perm[0] === 1 ? expr.of : undefined;
  if (expr.op === "slice") {
    const of = untransposed(expr.of);
    return of && { ...expr, of, axis: 1 - expr.axis };
  }
  if (expr.op === "either") {
    const of = expr.of.map(untransposed);
    return of.includes(undefined) ? undefined : { op: "either", of: of as WeightExpr[] };
  }
  return undefined;
}
