import { sizeOf, type Tensor } from "@llm/tensor";
import { legalOps } from "../dialects.ts";
import type { Graph, Op } from "../graph.ts";
import { interpret } from "../interpret.ts";
import type { Dialect } from "../op-def.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { integer, optional, schema } from "../schema.ts";

/** A table larger than this is better computed where it is used than carried about. */
const MOST_ELEMENTS = 2 ** 20;

/** What can be known now is computed now. */
export const foldConstants = graphPass({
  name: "fold-constants",
  doc: "Computes what depends on constants alone.",
  params: schema({
    /** Results of more elements than this are left as ops. */
    most: optional(integer(1)),
  }),
  run: (graph, { most = MOST_ELEMENTS }, { dialects }) => fold(graph, most, dialects),
});

function fold(graph: Graph, most: number, dialects: readonly Dialect[]): Graph {
  const defs = legalOps(graph, dialects);
  const known = new Map<string, Tensor>(graph.constants.map(({ value, data }) => [value.id, data]));
  const foldable = (op: Op): boolean =>
    defs.get(op.kind)?.eval !== undefined &&
    op.ins.every((value) => value === null || known.has(value.id)) &&
    op.outs.every(
      ({ type: { shape } }) => shape.every((d) => typeof d === "number") && sizeOf(shape as number[]) <= most,
    );
  return rewriteGraph(graph, {
    dialects,
    op(op, b) {
      if (!foldable(op)) return undefined;
      const outs = evaluate(op, graph, known, dialects);
      return outs.map((data) => {
        const value = b.constant(data);
        known.set(value.id, data);
        return value;
      });
    },
  });
}

function evaluate(op: Op, graph: Graph, known: ReadonlyMap<string, Tensor>, dialects: readonly Dialect[]): Tensor[] {
  const inputs = op.ins.filter((value) => value !== null);
  const alone: Graph = {
    ...graph,
    dims: {},
    inputs: [],
    outputs: op.outs,
    weights: [],
    constants: [...new Map(inputs.map((value) => [value.id, value])).values()].map((value) => ({
      value,
      data: known.get(value.id)!,
    })),
    states: [],
    ops: [op],
    blocks: [],
  };
  const { outputs } = interpret(alone, { inputs: {}, weights: new Map(), dialects });
  return op.outs.map(({ id }) => outputs[id]!);
}
