import { dimValue, type Graph, type Op, type Value } from "@llm/core-ir";
import { DTYPES } from "@llm/tensor";

/** Ops whose result is its operand's memory. */
const VIEWS = new Set(["reshape"]);

/**
 * Bytes of values in between that are alive at once, at most, when a graph runs op by op with these sizes and lets go of
 * each after its last use. Inputs, states and weights aren't counted. `scratch` says what an op needs for itself.
 */
export function peakBytes(graph: Graph, sizes: Readonly<Record<string, number>>, scratch: (op: Op) => number): number {
  const owner = new Map<string, string>(); // a view's id → the id whose memory it is
  const bytes = new Map<string, number>();
  const lastUse = new Map<string, number>();
  const root = (value: Value) => owner.get(value.id) ?? value.id;
  const kept = new Set(graph.states.map(({ next }) => next.id));
  graph.ops.forEach(({ kind, ins, outs }, at) => {
    for (const value of ins) if (value) lastUse.set(root(value), at);
    for (const out of outs) {
      const of = VIEWS.has(kind) && ins[0] ? root(ins[0]) : undefined;
      if (of !== undefined) owner.set(out.id, of);
      else if (!kept.has(out.id)) bytes.set(out.id, sizeOfValue(out, sizes));
      lastUse.set(of ?? out.id, at);
    }
  });
  for (const value of graph.outputs) lastUse.set(root(value), graph.ops.length);

  const ending = new Map<number, number>();
  for (const [id, at] of lastUse) ending.set(at, (ending.get(at) ?? 0) + (bytes.get(id) ?? 0));
  let alive = 0;
  let peak = 0;
  graph.ops.forEach((op, at) => {
    for (const { id } of op.outs) alive += bytes.get(id) ?? 0;
    peak = Math.max(peak, alive + scratch(op));
    alive -= ending.get(at) ?? 0;
  });
  return peak;
}

/** Bytes of a value with its symbols bound. */
export function sizeOfValue({ type }: Value, sizes: Readonly<Record<string, number>>): number {
  return type.shape.reduce((size: number, dim) => size * dimValue(dim, sizes), DTYPES[type.dtype].bytes);
}
