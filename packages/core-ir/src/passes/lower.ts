import { coreDialects, legalOps } from "../dialects.ts";
import { GraphError } from "../error.ts";
import type { Graph } from "../graph.ts";
import type { Dialect } from "../op-def.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { optional, schema, texts } from "../schema.ts";

/** More rounds than any op takes to come down: a definition that lowers to itself would go on for ever. */
const MAX_ROUNDS = 8;

/** Says every op that `keep` doesn't name, and that isn't of a dialect in `to`, in smaller ones. */
export const lower = graphPass({
  name: "lower",
  doc: "Says ops in smaller ones until only those of the named dialects, or named themselves, are left.",
  params: schema({
    /** Dialects whose ops may stay; primitive unless said. */
    to: optional(texts),
    /** Ops that stay although their dialect isn't one of these. */
    keep: optional(texts),
  }),
  run: (graph, { to = ["primitive"], keep = [] }, { dialects }) => lowerGraph(graph, to, keep, dialects),
});

function lowerGraph(graph: Graph, to: readonly string[], keep: readonly string[], extra: readonly Dialect[]): Graph {
  const known = [...coreDialects, ...extra];
  const defs = legalOps({ ...graph, dialects: known.map((d) => d.name) }, extra);
  const stays = new Set([...keep, ...known.filter((d) => to.includes(d.name)).flatMap((d) => Object.keys(d.ops))]);
  const all = known.map((d) => d.name);
  let lowered = graph;
  for (let round = 0; lowered.ops.some((op) => !stays.has(op.kind)); round++) {
    const stuck = lowered.ops.find((op) => !stays.has(op.kind) && !defs.get(op.kind)?.lower);
    if (stuck || round === MAX_ROUNDS)
      throw new GraphError("unsupported", `${stuck?.kind} ${stuck?.outs[0]?.id} can't be said in ${to.join(", ")}`);
    lowered = rewriteGraph(lowered, {
      dialects: extra,
      legal: all,
      op(op, b) {
        const def = defs.get(op.kind);
        return stays.has(op.kind) ? undefined : def?.lower?.({ ...op, attrs: def.attrs.parse(op.attrs) }, b);
      },
    });
  }
  const used = new Set(lowered.ops.map((op) => op.kind));
  const legal = known.filter((d) => to.includes(d.name) || Object.keys(d.ops).some((kind) => used.has(kind)));
  return { ...lowered, dialects: legal.map((d) => d.name) };
}
