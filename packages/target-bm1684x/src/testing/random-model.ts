import type { Graph } from "@llm/core-ir";
import { architectureFor, Config } from "@llm/models";
import { leavesOf, memorySource, sizeOf, type Tensor, type WeightSource } from "@llm/tensor";

export interface RandomModel {
  readonly graph: Graph;
  readonly source: WeightSource;
}

/** A model of a config with weights drawn from `seed`, of such sizes that activations stay near 1. */
export function randomModel(config: Readonly<Record<string, unknown>>, seed: number): RandomModel {
  const graph = architectureFor(config).build(new Config(config));
  const random = mulberry(seed);
  const tensors: Record<string, Tensor> = {};
  for (const { expr } of graph.weights)
    for (const { name, shape } of leavesOf(expr)) tensors[name] ??= drawn(random, shape);
  return { graph, source: memorySource(tensors) };
}

/** Vectors are biases and scales of norms: near 1 serves for both. */
function drawn(random: () => number, shape: readonly number[]): Tensor {
  const [mean, spread] = shape.length === 1 ? [0.5, 0.5] : [0, Math.sqrt(3 / shape.at(-1)!)];
  const data = Float32Array.from({ length: sizeOf(shape) }, () => mean + spread * (2 * random() - 1));
  return { dtype: "f32", shape, data };
}

function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
