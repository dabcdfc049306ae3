import { decoder } from "./decoder/index.ts";
import { GraphError } from "./error.ts";
import type { Graph } from "./graph.ts";
import { collectives } from "./mesh/collectives.ts";
import type { Dialect, OpDef } from "./op-def.ts";
import { primitive } from "./primitive/index.ts";

/** The dialects of core-ir, always known. */
export const coreDialects: readonly Dialect[] = [decoder, primitive, collectives];

/** The ops that are legal in `graph`: its dialects' tables, found among core-ir's and `extra`. */
export function legalOps(graph: Graph, extra: readonly Dialect[] = []): ReadonlyMap<string, OpDef> {
  const known = [...coreDialects, ...extra];
  const legal = new Map<string, OpDef>();
  for (const name of graph.dialects) {
    const found = known.find((d) => d.name === name);
    if (!found) throw new GraphError("spec", `dialect ${name} of graph ${graph.name} is not known here`);
    for (const [kind, def] of Object.entries(found.ops)) {
      if (legal.has(kind))
        throw new GraphError("spec", `op ${kind} is in two dialects of ${graph.dialects.join(", ")}`);
      legal.set(kind, def);
    }
  }
  return legal;
}
