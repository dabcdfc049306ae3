import { coreDialects, GraphError, graphPass, rewriteGraph, schema } from "@llm/core-ir";
import { canSay } from "./emitters.ts";

/** More rounds than any op takes to come down to primitives. */
const MAX_ROUNDS = 8;

/** What TOP has whole stays whole; everything else is said in smaller ops. */
export const lowerToTop = graphPass({
  name: "lower-to-top",
  doc: "Says what the dialect TOP of BM1684X's compiler has no op for in smaller ops that it has.",
  params: schema.schema({}),
  run(graph) {
    const definitions = new Map(coreDialects.flatMap(({ ops }) => Object.entries(ops)));
    let lowered = graph;
    for (let round = 0; lowered.ops.some((op) => !canSay(op)); round++) {
      const stuck = lowered.ops.find((op) => !canSay(op) && !definitions.get(op.kind)?.lower);
      if (stuck || round === MAX_ROUNDS)
        throw new GraphError("unsupported", `${stuck?.outs[0]?.id}: BM1684X's compiler has nothing for ${stuck?.kind}`);
      lowered = rewriteGraph(lowered, {
        legal: ["decoder", "primitive"],
        op(op, b) {
          const definition = definitions.get(op.kind);
          return canSay(op) ? undefined : definition?.lower?.({ ...op, attrs: definition.attrs.parse(op.attrs) }, b);
        },
      });
    }
    return lowered;
  },
});
