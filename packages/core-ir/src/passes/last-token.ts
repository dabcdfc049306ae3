import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import { dimSub } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Graph, Op, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { choice, schema } from "../schema.ts";

/** Logits of each row's last token only, without an input that says which: for devices whose interface has none. */
export const lastToken = graphPass({
  name: "last-token",
  doc: "Replaces the rows input by each padded row's last token: the one at the furthest position, or in the last column.",
  params: schema({
    /** position: rows are padded on the right; end: on the left. */
    at: choice("position", "end"),
  }),
  run: (graph, { at }) => pickLast(graph, at),
});

function pickLast(graph: Graph, at: "position" | "end"): Graph {
  const positions = graph.inputs.find(({ id }) => id === "positions");
  if (positions?.type.shape.length !== 2)
    throw new GraphError("unsupported", `last-token needs padded rows with positions: run pad before it`);
  const picked = rewriteGraph(graph, {
    input: (value) => (value.id === "rows" ? null : undefined),
    op(op, b) {
      if (op.kind !== "pick") return undefined;
      return [at === "end" ? lastColumn(b, op) : furthest(b, op, positions)];
    },
  });
  const { outputs: _, ...dims } = picked.dims;
  return { ...picked, dims };
}

function lastColumn(b: Builder, { ins: [x] }: Op): Value {
  const [batch, seq, width] = x!.type.shape as [Dim, Dim, Dim];
  return b.reshape(b.slice(x!, -2, dimSub(seq, 1), seq), [batch, width]);
}

function furthest(b: Builder, { ins: [x] }: Op, positions: Value): Value {
  const [batch, , width] = x!.type.shape as [Dim, Dim, Dim];
  const last = b.topk(b.cast(positions, "f32"), 1).ids; // (batch, 1)
  const along = b.expand(b.reshape(last, [batch, 1, 1]), [batch, 1, width]);
  return b.reshape(b.gather(x!, along, { axis: 1, along: true }), [batch, width]);
}
