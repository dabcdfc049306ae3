import { legalOps } from "../dialects.ts";
import { type Dim, dimSubstitute } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Graph, Type, Value } from "../graph.ts";
import { bindAttrs } from "../interpret.ts";
import type { Dialect } from "../op-def.ts";
import { graphPass } from "../pass.ts";
import { schema, sizes as sizesField } from "../schema.ts";

/** Fixes sizes: for devices that compile one program for each shape. */
export const specialise = graphPass({
  name: "specialise",
  doc: "Binds symbolic dimensions to sizes, for devices that compile one program for each shape.",
  params: schema({ sizes: sizesField }),
  run(graph, { sizes }, { dialects }) {
    for (const [symbol, size] of Object.entries(sizes)) {
      const range = graph.dims[symbol];
      if (range && (size < range.min || size > range.max))
        throw new GraphError("unsupported", `${symbol} is from ${range.min} to ${range.max}, not ${size}`);
    }
    return substituteDims(graph, sizes, dialects);
  },
});

/** A graph with symbols replaced in every type and every attribute that holds dimensions. */
export function substituteDims(graph: Graph, by: Readonly<Record<string, Dim>>, dialects: readonly Dialect[]): Graph {
  const defs = legalOps(graph, dialects);
  const known = new Map<string, Value>();
  const type = ({ dtype, shape }: Type): Type => ({ dtype, shape: shape.map((dim) => dimSubstitute(dim, by)) });
  const value = (old: Value): Value => {
    let now = known.get(old.id);
    if (!now) {
      now = old.type.shape.some((dim) => typeof dim === "string") ? { id: old.id, type: type(old.type) } : old;
      known.set(old.id, now);
    }
    return now;
  };
  return {
    ...graph,
    dims: Object.fromEntries(Object.entries(graph.dims).filter(([symbol]) => by[symbol] === undefined)),
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
    states: graph.states.map((state) => ({ ...state, value: value(state.value), next: value(state.next) })),
    ops: graph.ops.map((op) => {
      const def = defs.get(op.kind);
      return {
        kind: op.kind,
        ins: op.ins.map((old) => old && value(old)),
        outs: op.outs.map(value),
        attrs: def ? bindAttrs(def, op.attrs, by) : op.attrs,
      };
    }),
  };
}
