import type { Graph, Value } from "../graph.ts";
import { graphPass, noParams } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";

/** Values that ops of each block make and later ops, outside it, use. */
export function blockResults(graph: Graph): ReadonlyMap<string, readonly Value[]> {
  const home = new Map<string, string>(); // value id → block
  const crossing = new Map<string, Map<string, Value>>(graph.blocks.map(({ name }) => [name, new Map()]));
  const blockAt = new Map<number, string>();
  for (const { name, from, to } of graph.blocks) for (let at = from; at < to; at++) blockAt.set(at, name);
  graph.ops.forEach((op, at) => {
    const here = blockAt.get(at);
    for (const value of op.ins) {
      if (!value) continue;
      const from = home.get(value.id);
      if (from !== undefined && from !== here) crossing.get(from)!.set(value.id, value);
    }
    if (here !== undefined) for (const out of op.outs) home.set(out.id, here);
  });
  return new Map([...crossing].map(([name, values]) => [name, [...values.values()]]));
}

/** Every block's results as outputs too: verify compares them. */
export const exposeBlocks = graphPass({
  name: "expose-blocks",
  doc: "Makes the results of every block outputs too, so that they can be compared.",
  params: noParams,
  run(graph) {
    const outputs = new Set(graph.outputs.map(({ id }) => id));
    const results = [...blockResults(graph).values()].flat().filter(({ id }) => !outputs.has(id));
    return rewriteGraph(graph, {
      end(b, map) {
        for (const value of results) b.output(map(value));
      },
    });
  },
});
