import type { Graph } from "@llm/core-ir";
import { bind, type DType, locate, shapeOf, simplify, type WeightExpr, type WeightSource } from "@llm/tensor";
import { untransposed } from "./transposed.ts";

/** How a weight that a checkpoint stores otherwise than the graph wants it can stay where it is. */
export interface StoredAs {
  /** It is stored in this dtype, and the model widens it. */
  readonly dtype: DType;
  /** What is stored, and what the model makes of it; absent: it is stored whole. */
  readonly assembly?: Assembly;
}

/** Steps that move values without looking at them, down to tensors that lie in one piece. */
export type Assembly =
  | { readonly op: "stored"; readonly expr: WeightExpr }
  | { readonly op: "slice"; readonly of: Assembly; readonly axis: number; readonly start: number; readonly end: number }
  | { readonly op: "reshape"; readonly of: Assembly; readonly shape: readonly number[] }
  | { readonly op: "concat"; readonly of: readonly Assembly[]; readonly axis: number };

/** By id of the weight; those that are stored as they are wanted, or must be copied, are not in it. */
export type Storage = ReadonlyMap<string, StoredAs>;

/** What each float dtype holds exactly, so that widening on load changes nothing. */
const EXACT: Readonly<Partial<Record<DType, readonly DType[]>>> = { f32: ["f32", "f16", "bf16"] };

/**
 * Finds the weights that need no copy if the model itself does the last steps: halves that it computes with as fp32, experts
 * that are stored one by one, columns of a larger tensor.
 */
export function storageOf(graph: Graph, source: WeightSource): Storage {
  const storage = new Map<string, StoredAs>();
  const decided = bind(
    graph.weights.map(({ expr }) => expr),
    source,
  ).exprs.map(simplify);
  for (const [index, { value }] of graph.weights.entries()) {
    const { dtype } = value.type;
    const found = (EXACT[dtype] ?? [dtype])
      .map((as) => storedAs(decided[index], source, as))
      .find((stored) => stored !== undefined);
    if (found !== undefined && (found.dtype !== dtype || found.assembly !== undefined)) storage.set(value.id, found);
  }
  return storage;
}

function storedAs(expr: WeightExpr, source: WeightSource, dtype: DType): StoredAs | undefined {
  const lies = (one: WeightExpr) => locate(one, source, dtype) !== undefined;
  const turned = untransposed(expr);
  if (lies(expr) || (turned !== undefined && lies(turned))) return { dtype };
  const assembly = assemble(expr, lies);
  return assembly && { dtype, assembly };
}

function assemble(expr: WeightExpr, lies: (expr: WeightExpr) => boolean): Assembly | undefined {
  if (lies(expr)) return { op: "stored", expr };
  if (expr.op === "slice" || expr.op === "reshape") {
    const of = assemble(expr.of, lies);
    return of && { ...expr, of };
  }
  if (expr.op !== "stack" && expr.op !== "concat") return undefined;
  const of = expr.of.map((part) => assemble(part, lies));
  if (of.includes(undefined)) return undefined;
  const joined = { op: "concat", of: of as Assembly[], axis: expr.op === "concat" ? expr.axis : 0 } as const;
  return expr.op === "concat" ? joined : { op: "reshape", of: joined, shape: shapeOf(expr) };
}
