import { type Builder, type Graph, GraphError, type Value } from "@llm/core-ir";

/** Longest sequence that a symbol may stand for; a session's limits are tighter. */
const MANY = 2 ** 31 - 1;

/** An input that only biases by distance ask for: 0, 1, 2 … as many as the longest sequence of a call will have tokens. */
export const SPAN_INPUT = "span";

/** What attention needs of the graph's inputs. */
export interface RowInputs {
  readonly positions: Value; // (batch, seq)
  readonly span?: Value; // (total)
}

export function rowInputs(graph: Graph, b: Builder): RowInputs {
  const positions = graph.inputs.find(({ id }) => id === "positions");
  if (positions?.type.shape.length !== 2 || graph.inputs.some(({ id }) => id === "slots"))
    throw new GraphError("unsupported", `${graph.name} doesn't come as rows that are their own slots: pad comes first`);
  const far = graph.ops.some(({ kind, attrs }) => kind === "attention" && attrs.alibi != null);
  return far ? { positions, span: b.input(SPAN_INPUT, "i32", [b.dim("total", { min: 1, max: MANY })]) } : { positions };
}
