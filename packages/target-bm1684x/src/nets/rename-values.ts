import type { Graph, Value } from "@llm/core-ir";

/** A graph whose values have other names; which ones, `name` says of each. */
export function renameValues(graph: Graph, name: (value: Value) => string): Graph {
  const known = new Map<string, Value>();
  const renamed = (value: Value): Value => {
    const id = name(value);
    if (id === value.id) return value;
    const made = known.get(id) ?? { ...value, id };
    known.set(id, made);
    return made;
  };
  return {
    ...graph,
    inputs: graph.inputs.map(renamed),
    outputs: graph.outputs.map(renamed),
    weights: graph.weights.map((weight) => ({ ...weight, value: renamed(weight.value) })),
    constants: graph.constants.map((constant) => ({ ...constant, value: renamed(constant.value) })),
    states: graph.states.map((state) => ({ ...state, value: renamed(state.value), next: renamed(state.next) })),
    ops: graph.ops.map((op) => ({
      ...op,
      ins: op.ins.map((value) => value && renamed(value)),
      outs: op.outs.map(renamed),
    })),
  };
}
