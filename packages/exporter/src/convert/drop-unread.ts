import type { OnnxInitializer, OnnxNode, OnnxValue } from "../model/onnx-model.ts";

/** Nodes and tensors that something reads, in their order: an emitter may have taken another road to a weight. */
export function dropUnread(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxInitializer[],
  outputs: readonly OnnxValue[],
): { nodes: OnnxNode[]; initializers: OnnxInitializer[] } {
  const read = new Set(outputs.map(({ name }) => name));
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => read.has(name))) return false;
    for (const name of node.inputs) read.add(name);
    return true;
  });
  return { nodes: kept.reverse(), initializers: initializers.filter(({ name }) => read.has(name)) };
}
