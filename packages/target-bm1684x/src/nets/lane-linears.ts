import { type Graph, graphPass, type Op, rewriteGraph, schema, type Value } from "@llm/core-ir";
import { shapeOf, weights } from "@llm/tensor";

/** Outputs come in as many: one for each lane of the chip. */
const LANES = 64;

/** A head with an odd vocabulary is worth some rows more; a small linear is not. */
const WORTH_PADDING = 4096;

/** Weights of linears in the chip's own format. */
export const laneLinears = graphPass({
  name: "bm1684x-quantise",
  doc: "Keeps weights of linears as BM1684X does, in 4 or 8 bits with a scale for each group; those that don't fill its lanes stay in 16.",
  params: schema.schema({
    bits: schema.integer(4),
    group: schema.integer(1),
    /** Bits of the head's weights. */
    headBits: schema.integer(4),
  }),
  run(graph, { bits, group, headBits }) {
    const exprs = new Map(graph.weights.map(({ value, expr }) => [value.id, expr]));
    const head = new Set(opsOf(graph, "lm_head"));
    return rewriteGraph(graph, {
      op(op, b) {
        if (op.kind !== "linear") return undefined;
        const [x, w, bias = null] = op.ins as readonly [Value, Value, Value?];
        const expr = exprs.get(w.id);
        if (!expr || expr.op === "encode") return undefined;
        const format = { format: `bm1684x_w${head.has(op.outs[0]!.id) ? headBits : bits}`, group };
        const [rows, columns] = shapeOf(expr) as [number, number];
        if (columns % group !== 0) return undefined;
        const missing = (LANES - (rows % LANES)) % LANES;
        if (missing > 0 && (rows < WORTH_PADDING || bias)) return undefined;
        // Any rows do: what they make is cut off.
        const full = missing === 0 ? expr : weights.concat([expr, weights.slice(expr, 0, 0, missing)], 0);
        const kept = b.as(w.id).weight(weights.encode(full, format), w.type.dtype);
        const made = b.linear(x, kept, bias);
        return [missing === 0 ? made : b.slice(made, -1, 0, rows)];
      },
    });
  },
});

function opsOf(graph: Graph, block: string): readonly string[] {
  const found = graph.blocks.find(({ name }) => name === block);
  const ops: readonly Op[] = found ? graph.ops.slice(found.from, found.to) : [];
  return ops.flatMap(({ outs }) => outs.map(({ id }) => id));
}
