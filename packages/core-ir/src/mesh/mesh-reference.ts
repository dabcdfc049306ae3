import type { Tensor, WeightExpr } from "@llm/tensor";
import type { Graph, Net, Program } from "../graph.ts";
import { programOf, runPipeline } from "../pass.ts";
import { corePasses } from "../passes/index.ts";
import { cutRows, emptyState, packRows, type ReferenceOptions, type ReferenceRow } from "../reference-model.ts";
import { interpretProgram } from "./interpret-program.ts";

export interface MeshShape {
  readonly mp: number;
  readonly pp?: number;
  readonly residual?: "whole" | "split";
}

/** A decoder on several ranks, each run by the interpreter over a cache of its own: what a mesh is compared with. */
export class MeshReference {
  readonly program: Program;
  readonly #weights = new Map<string, ReadonlyMap<string, Tensor>>();
  #states: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;

  /** `read` gives a weight's values as f32. */
  static async open(
    graph: Graph,
    { mp, pp = 1, residual }: MeshShape,
    read: (expr: WeightExpr) => Promise<Tensor>,
    options: ReferenceOptions = {},
  ): Promise<MeshReference> {
    const steps = [
      { pass: "partition", params: { mp, residual, edges: pp > 1 } },
      { pass: "cache-form", params: { form: "fused" } },
      { pass: "stages", params: { count: pp } },
      { pass: "cut-at-collectives" },
    ];
    const model = new MeshReference(runPipeline(programOf(graph), steps, { passes: corePasses }), options);
    for (const net of model.program.nets) {
      const weights = new Map<string, Tensor>();
      for (const { value, expr } of net.graph.weights) weights.set(value.id, await read(expr));
      model.#weights.set(net.id, weights);
    }
    return model;
  }

  private constructor(program: Program, { slots = 1, context = 256 }: ReferenceOptions) {
    this.program = program;
    this.#states = new Map(
      program.nets.map((net) => [
        net.id,
        new Map(net.graph.states.map(({ value }) => [value.id, emptyState(value, { slots, context })])),
      ]),
    );
  }

  /** Each rank's logits of each row's tokens: (ranks, rows, last · vocab). */
  step(rows: readonly ReferenceRow[]): Float32Array[][] {
    const { outputs, states } = interpretProgram(this.program, {
      inputs: packRows(rows),
      weights: (net: Net) => this.#weights.get(net.id)!,
      states: this.#states,
    });
    this.#states = states;
    const all = [...outputs.values()].flatMap(({ logits }) => logits ?? []);
    return all.map((logits) => {
      let at = 0;
      return rows.map(({ tokens, last = tokens.length }) => cutRows(logits, (at += last) - last, last));
    });
  }
}
