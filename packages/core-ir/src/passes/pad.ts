import type { Builder } from "../builder.ts";
import { UNBOUNDED } from "../cache/state.ts";
import { GraphError } from "../error.ts";
import type { Graph, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { choice, optional, schema } from "../schema.ts";

/** From packed tokens to padded rows. Decoder ops ignore leading axes, so only inputs change; types are inferred anew. */
export const pad = graphPass({
  name: "pad",
  doc: "Lays tokens out as padded rows [batch, seq] instead of packed [tokens].",
  params: schema({
    /** rows: row n is slot n, and the input goes (the default); row: an input says each row's slot; token: each token's. */
    slots: optional(choice("rows", "row", "token")),
  }),
  run: (graph, { slots = "rows" }) => padGraph(graph, slots),
});

function padGraph(graph: Graph, slots: "rows" | "row" | "token"): Graph {
  if (!graph.inputs.some(isPacked))
    throw new GraphError("unsupported", `${graph.name} has no packed tokens to lay out`);
  const padded = rewriteGraph(graph, {
    input(value, b) {
      if (!isPacked(value)) return undefined;
      const axes = rowAxes(b);
      if (value.id !== "slots" || slots === "token") return anew(b, value, axes);
      return slots === "row" ? anew(b, value, axes.slice(0, 1)) : null;
    },
  });
  const { tokens: _, ...dims } = padded.dims;
  return { ...padded, dims };
}

const isPacked = ({ type }: Value): boolean => type.shape.length === 1 && type.shape[0] === "tokens";

function rowAxes(b: Builder): readonly string[] {
  b.dim("batch", { min: 1, max: UNBOUNDED });
  b.dim("seq", { min: 1, max: UNBOUNDED });
  return ["batch", "seq"];
}

function anew(b: Builder, value: Value, shape: readonly string[]): Value {
  b.release(value.id);
  return b.input(value.id, value.type.dtype, shape);
}
