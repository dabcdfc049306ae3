import type { WeightExpr } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import type { Graph, Op, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { integer, optional, schema } from "../schema.ts";

/** A fused projection (q|k|v, gate|up, heads of q, k and v) as linears of their own over slices of the published tensor. */
export const splitLinears = graphPass({
  name: "split-linears",
  doc: "Makes a linear whose result is split, as fused projections are, one linear for each piece, over slices of its weight.",
  params: schema({
    /**
     * Leaves those fused whose weight's rows are in at least so many groups, each with rows for every piece (the queries, key
     * and value of a head, say): so many ranks can have groups instead.
     */
    groups: optional(integer(1)),
  }),
  run(graph, { groups = Number.POSITIVE_INFINITY }) {
    const fused = findFused(graph);
    for (const [op, { seenAs }] of fused)
      if (seenAs && seenAs[0]! >= groups && -(op.attrs.axis as number) < seenAs.length) fused.delete(op);
    return rewriteGraph(graph, {
      op(op, b) {
        const found = fused.get(op);
        return found && pieces(b, graph, op, found);
      },
    });
  },
});

interface Fused {
  readonly linear: Op;
  /** What is done to each entry of the result before it is split. */
  readonly then: Op | undefined;
  /** Axes that the result is seen with before it is split. */
  readonly seenAs: readonly number[] | undefined;
}

/** Splits of a linear's result, straight or seen with more axes, that nothing else uses. */
function findFused(graph: Graph): Map<Op, Fused> {
  const maker = new Map<string, Op>();
  const uses = new Map<string, number>();
  for (const op of graph.ops) {
    for (const out of op.outs) maker.set(out.id, op);
    for (const value of op.ins) if (value) uses.set(value.id, (uses.get(value.id) ?? 0) + 1);
  }
  for (const { id } of graph.outputs) uses.set(id, (uses.get(id) ?? 0) + 1);
  const weights = new Set(graph.weights.map(({ value }) => value.id));
  const onlyUse = (value: Value | null | undefined): Op | undefined =>
    value && uses.get(value.id) === 1 ? maker.get(value.id) : undefined;
  const fused = new Map<Op, Fused>();
  for (const op of graph.ops) {
    if (op.kind !== "split") continue;
    const before = onlyUse(op.ins[0]);
    const seenAs =
      before?.kind === "reshape" && before.attrs.last === 1 ? (before.attrs.to as readonly number[]) : undefined;
    const made = seenAs ? onlyUse(before?.ins[0]) : before;
    const then = made?.kind === "clip" ? made : undefined;
    const linear = then ? onlyUse(then.ins[0]) : made;
    const axis = op.attrs.axis as number;
    const fits = seenAs ? axis < 0 && -axis <= seenAs.length : axis === -1;
    if (fits && linear?.kind === "linear" && linear.ins.slice(1).every((value) => !value || weights.has(value.id)))
      fused.set(op, { linear, then, seenAs });
  }
  return fused;
}

function pieces(b: Builder, graph: Graph, split: Op, { linear, then, seenAs }: Fused): readonly Value[] {
  const [x, w, bias = null] = linear.ins as readonly [Value, Value, Value?];
  const exprs = new Map(graph.weights.map(({ value, expr }) => [value.id, { expr, value }]));
  const sizes = split.attrs.sizes as readonly number[];
  const axes = seenAs ?? [Number(w.type.shape[0])];
  const axis = axes.length + (split.attrs.axis as number);
  let start = 0;
  return sizes.map((size) => {
    const cut = (leaf: Value | null): Value | null =>
      leaf && b.weight(sliced(exprs.get(leaf.id)!.expr, leaf, axes, axis, start, start + size), leaf.type.dtype);
    const product = b.linear(x, cut(w)!, cut(bias));
    const piece = then ? b.op(then.kind, [product], then.attrs) : product;
    start += size;
    return seenAs ? b.reshape(piece, axes.with(axis, size), 1) : piece;
  });
}

/** Rows of a weight that, seen with `axes`, lie in [start, end) of one of them. */
function sliced(
  of: WeightExpr,
  leaf: Value,
  axes: readonly number[],
  axis: number,
  start: number,
  end: number,
): WeightExpr {
  const rest = leaf.type.shape.slice(1) as readonly number[];
  if (axes.length === 1) return { op: "slice", of, axis: 0, start, end };
  const seen: WeightExpr = { op: "reshape", of, shape: [...axes, ...rest] };
  const cut: WeightExpr = { op: "slice", of: seen, axis, start, end };
  const rows = axes.with(axis, end - start).reduce((a, n) => a * n, 1);
  return { op: "reshape", of: cut, shape: [rows, ...rest] };
}
