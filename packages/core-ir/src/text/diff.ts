import type { Graph } from "../graph.ts";
import { constantLine, opLine, stateLine, weightLine } from "./print.ts";

/** What is different about one thing of a graph; `id` is its value's, or its first result's. */
export interface GraphChange {
  readonly kind: "added" | "removed" | "changed";
  readonly id: string;
  readonly before?: string; // its line of the text form
  readonly after?: string;
}

/** What differs between two graphs, thing by thing, in the order of the second; what is gone comes where it was. */
export function diffGraphs(before: Graph, after: Graph): readonly GraphChange[] {
  const [old, now] = [linesById(before), linesById(after)];
  const changes: GraphChange[] = [];
  const gone = [...old.keys()].filter((id) => !now.has(id));
  for (const id of gone) changes.push({ kind: "removed", id, before: old.get(id)! });
  for (const [id, line] of now) {
    const was = old.get(id);
    if (was === undefined) changes.push({ kind: "added", id, after: line });
    else if (was !== line) changes.push({ kind: "changed", id, before: was, after: line });
  }
  return changes;
}

/** Changes as lines that begin with − and +. */
export function printDiff(changes: readonly GraphChange[]): string {
  const lines = changes.flatMap(({ before, after }) => [
    ...(before === undefined ? [] : [`- ${before}`]),
    ...(after === undefined ? [] : [`+ ${after}`]),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

function linesById(graph: Graph): Map<string, string> {
  const lines = new Map<string, string>();
  for (const [symbol, { min, max }] of Object.entries(graph.dims))
    lines.set(`dim ${symbol}`, `dim ${symbol} ${min}..${max}`);
  for (const { id, type } of graph.inputs) lines.set(id, `input ${id}: ${type.dtype}[${type.shape.join(", ")}]`);
  for (const weight of graph.weights) lines.set(weight.value.id, weightLine(weight));
  for (const constant of graph.constants) lines.set(constant.value.id, constantLine(constant));
  for (const state of graph.states) lines.set(state.value.id, stateLine(state));
  for (const op of graph.ops) lines.set(op.outs[0]!.id, opLine(op));
  for (const { id } of graph.outputs) lines.set(`output ${id}`, `output ${id}`);
  return lines;
}
