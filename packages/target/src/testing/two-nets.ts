import type { Graph, Program } from "@llm/core-ir";
import type { WeightExpr, WeightSource } from "@llm/tensor";
import type { ModelCard } from "../artefact.ts";

/** A program of two nets with a weight each, a source that has them, and a card: enough to build, nothing to run. */
export function twoNets(fingerprint = "source-1"): {
  readonly graph: Graph;
  readonly program: Program;
  readonly source: WeightSource;
  readonly model: ModelCard;
} {
  const net = (name: string): Graph => {
    const expr: WeightExpr = { op: "tensor", name: `${name}.weight`, shape: [19, 4] };
    const weight = { id: "w", type: { dtype: "f32", shape: [19, 4] } } as const;
    const logits = { id: "logits", type: { dtype: "f32", shape: ["outputs", 19] } } as const;
    return {
      name,
      dialects: ["decoder"],
      dims: { outputs: { min: 1, max: 8 } },
      inputs: [logits],
      outputs: [logits],
      weights: [{ value: weight, expr }],
      constants: [],
      states: [],
      ops: [],
      blocks: [],
    };
  };
  const source: WeightSource = {
    fingerprint,
    names: () => ["embedding.weight", "head.weight"],
    get: () => undefined,
    read: async (_, into) => void into.fill(0),
  };
  const program = { nets: ["embedding", "head"].map((id) => ({ id, graph: net(id) })), moves: [] };
  const model = { name: "two", architecture: "null", vocab: 19, width: 4, blocks: 1, context: 40, parameters: 152 };
  return { graph: program.nets[0]!.graph, program, source, model };
}
