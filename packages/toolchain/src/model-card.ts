import type { Graph } from "@llm/core-ir";
import type { ModelCard } from "@llm/target";
import { sizeOf } from "@llm/tensor";
import { ToolchainError } from "./error.ts";

/** What a session and a person need to know of a model, read off its canonical graph. */
export function modelCard(name: string, architecture: string, graph: Graph): ModelCard {
  const logits = graph.outputs.find(({ id }) => id === "logits");
  const embedding = graph.blocks.find((block) => block.name === "embedding");
  const stream = embedding && graph.ops[embedding.to - 1]?.outs[0];
  const context = graph.dims.context?.max;
  const vocab = logits?.type.shape.at(-1);
  const width = stream?.type.shape.at(-1);
  if (typeof vocab !== "number" || typeof width !== "number" || context === undefined)
    throw new ToolchainError(
      "model-mismatch",
      `the graph of ${name} is not a decoder's: it has no logits, no embedding or no context`,
    );
  return {
    name,
    architecture,
    vocab,
    width,
    blocks: decoderBlocks(graph).length,
    context,
    parameters: parameters(graph),
  };
}

/** The blocks between the embedding and the head, in order. */
export function decoderBlocks(graph: Graph): readonly string[] {
  return graph.blocks.map(({ name }) => name).filter((name) => /^block_\d+$/.test(name));
}

/** Each weight once, however often it is used. */
function parameters(graph: Graph): number {
  const distinct = new Map(
    graph.weights.map(({ value, expr }) => [JSON.stringify(expr), value.type.shape as number[]]),
  );
  return [...distinct.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
}
