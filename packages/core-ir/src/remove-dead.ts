import type { Graph, Value } from "./graph.ts";

/** A graph without ops, weights and constants that no output or state needs. Inputs stay: they are its interface. */
export function removeDead(graph: Graph): Graph {
  const live = new Set<string>();
  const need = (value: Value | null) => value && live.add(value.id);
  for (const value of graph.outputs) need(value);
  for (const { next } of graph.states) need(next);
  const keep = new Array<boolean>(graph.ops.length);
  for (let at = graph.ops.length - 1; at >= 0; at--) {
    const op = graph.ops[at]!;
    keep[at] = op.outs.some((out) => live.has(out.id));
    if (keep[at]) op.ins.forEach(need);
  }
  const kept = keep.reduce((count, k) => count + (k ? 1 : 0), 0);
  const weights = graph.weights.filter(({ value }) => live.has(value.id));
  const constants = graph.constants.filter(({ value }) => live.has(value.id));
  const lean = { ...graph, weights, constants };
  return kept === graph.ops.length ? lean : { ...lean, ...withoutOps(graph, keep) };
}

function withoutOps(graph: Graph, keep: readonly boolean[]): Pick<Graph, "ops" | "blocks"> {
  const before = [0]; // how many ops are left before each index
  for (const k of keep) before.push(before.at(-1)! + (k ? 1 : 0));
  return {
    ops: graph.ops.filter((_, at) => keep[at]),
    blocks: graph.blocks.map(({ name, from, to }) => ({ name, from: before[from]!, to: before[to]! })),
  };
}
