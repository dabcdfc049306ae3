import type { Tensor } from "@llm/tensor";
import { type Dim, dimValue } from "../dim.ts";
import type { Attrs, Graph, Program } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { type PassStep, programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { intTensor, randomFloats, randomOf } from "./random.ts";

/** A program after passes by name: `"pad"`, or with parameters. */
export function after(graph: Graph, ...steps: (string | readonly [string, Attrs])[]): Program {
  const calls: PassStep[] = steps.map((step) =>
    typeof step === "string" ? { pass: step } : { pass: step[0], params: step[1] },
  );
  return runPipeline(programOf(graph), calls, { passes: corePasses });
}

export function graphAfter(graph: Graph, ...steps: (string | readonly [string, Attrs])[]): Graph {
  return after(graph, ...steps).nets[0]!.graph;
}

/** Weights that depend on their names alone, so that every rewrite of a graph gets the same. */
export function weightsFor(graph: Graph): Map<string, Tensor> {
  return new Map(
    graph.weights.map(({ value }) => {
      const seed = [...value.id].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7);
      return [value.id, randomFloats(randomOf(seed), value.type.shape as number[])];
    }),
  );
}

/** Two prompts of three tokens, for packed and padded graphs alike; caches are NaN. */
export function runToy(
  graph: Graph,
  weights: ReadonlyMap<string, Tensor> = weightsFor(graph),
): Readonly<Record<string, Tensor>> {
  const isPadded = graph.inputs.find(({ id }) => id === "ids")?.type.shape.length === 2;
  const shape = isPadded ? [2, 3] : [6];
  const inputs: Record<string, Tensor> = {
    ids: intTensor(shape, [3, 1, 4, 1, 5, 9]),
    positions: intTensor(shape, [0, 1, 2, 0, 1, 2]),
    slots: intTensor(shape, [0, 0, 0, 1, 1, 1]),
    rows: intTensor([2], [2, 5]),
  };
  const sizes = { batch: 2, slots: 2, context: 8 };
  const number = (dim: Dim) => dimValue(dim, sizes);
  const states = new Map(
    graph.states.map(({ value }) => {
      const t = randomFloats(() => Number.NaN, value.type.shape.map(number));
      return [value.id, t];
    }),
  );
  const given = Object.fromEntries(graph.inputs.map(({ id }) => [id, inputs[id]!]));
  return interpret(graph, { inputs: given, weights, states }).outputs;
}
