import { GraphError } from "../error.ts";
import type { Graph } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { choice, optional, schema } from "../schema.ts";
import { fusedForm } from "./cache-fused.ts";

export const CACHE_FORMS = ["fused", "none"] as const;

/** How attention's cache is kept; see ARCHITECTURE.md for what each form is for. */
export const cacheForm = graphPass({
  name: "cache-form",
  doc: "Gives attention a cache in one of several forms: one fused op on a state, or none.",
  params: schema({
    form: choice(...CACHE_FORMS),
    /** Of fused: order of the cache's axes, [slots, context, heads, dim] or [slots, heads, context, dim]. */
    layout: optional(choice("tokens", "heads")),
    /** What the cache holds; the activations' dtype when absent. */
    dtype: optional(choice("f32", "f16", "bf16")),
  }),
  run(graph, { form, layout = "tokens", dtype }) {
    wantNoCache(graph);
    return form === "fused" ? fusedForm(graph, { layout, dtype }) : graph;
  },
});

function wantNoCache(graph: Graph): void {
  const [first] = graph.states;
  if (first) throw new GraphError("unsupported", `${graph.name} has a cache already (${first.value.id})`);
}
