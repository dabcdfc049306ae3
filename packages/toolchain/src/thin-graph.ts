import { blockResults, type Graph, rewriteGraph, type Value } from "@llm/core-ir";
import { ToolchainError } from "./error.ts";
import { decoderBlocks } from "./model-card.ts";

/**
 * A shorter model: the embedding, the blocks in `keep`, the head. What a dropped block would have made of the stream is the
 * stream it was given. Weights of dropped blocks are no longer part of it.
 */
export function thinGraph(graph: Graph, keep: ReadonlySet<string>): Graph {
  const dropped = decoderBlocks(graph).filter((name) => !keep.has(name));
  if (dropped.length === 0) return graph;
  const results = blockResults(graph);
  const order = graph.blocks.map(({ name }) => name);
  const standIn = new Map<string, Value>(); // result of a dropped block → the stream it was given
  for (const name of dropped) {
    const given = streamOf(results, order[order.indexOf(name) - 1]!);
    standIn.set(streamOf(results, name).id, standIn.get(given.id) ?? given);
  }
  const thin = rewriteGraph(graph, {
    op: ({ outs }) =>
      outs.some(({ id }) => standIn.has(id)) ? outs.map((out) => standIn.get(out.id) ?? out) : undefined,
  });
  return { ...thin, blocks: thin.blocks.filter(({ from, to }) => to > from) };
}

/** The one value that a block hands on. */
function streamOf(results: ReadonlyMap<string, readonly Value[]>, block: string): Value {
  const values = results.get(block) ?? [];
  if (values.length === 1) return values[0]!;
  throw new ToolchainError(
    "model-mismatch",
    `block ${block} hands on ${values.length} values, so it can't be left out`,
  );
}
