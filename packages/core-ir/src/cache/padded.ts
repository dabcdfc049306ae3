import type { Dim } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Value } from "../graph.ts";
import type { Attention } from "./forms.ts";

/** The rows of a padded graph, each its own slot; an error says which pass to run before. */
export function paddedRows(
  { positions, slots }: Attention,
  form: string,
): { readonly positions: Value; readonly batch: Dim; readonly seq: Dim } {
  const [batch, seq] = positions.type.shape;
  if (slots || batch === undefined || seq === undefined || positions.type.shape.length !== 2)
    throw new GraphError(
      "unsupported",
      `the ${form} form needs padded rows that are their own slots: run pad before it`,
    );
  return { positions, batch, seq };
}
