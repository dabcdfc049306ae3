import type { Builder, Graph, Op, Value } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";

export interface PackingParams {
  readonly bits: number;
  /** Activations stay float32. */
  readonly exact?: boolean | undefined;
}

/** What a lowering needs to know of the graph around its op, and what ops agree on among themselves. */
export class LowerContext {
  readonly graph: Graph;
  /** How the weights of linears and experts are kept; none: as they are. */
  readonly packing: PackingParams | undefined;
  /** Ids of linears' results whose bias a later op adds, with that bias. */
  readonly owedBias = new Map<string, Value>();
  /** Ids of norms' results that the addition before them has made already. */
  readonly normed = new Map<string, Value>();
  readonly #shared = new Map<string, Value>();
  readonly #uses = new Map<string, Op[]>();
  readonly #weights: ReadonlyMap<string, WeightExpr>;
  readonly #leaves: ReadonlySet<string>;
  readonly #outputs: ReadonlySet<string>;

  constructor(graph: Graph, packing?: PackingParams) {
    this.graph = graph;
    this.packing = packing;
    for (const op of graph.ops)
      for (const value of op.ins) {
        if (!value) continue;
        const uses = this.#uses.get(value.id);
        if (uses) uses.push(op);
        else this.#uses.set(value.id, [op]);
      }
    this.#outputs = new Set([...graph.outputs, ...graph.states.map(({ next }) => next)].map(({ id }) => id));
    this.#weights = new Map(graph.weights.map(({ value, expr }) => [value.id, expr]));
    this.#leaves = new Set([...this.#weights.keys(), ...graph.constants.map(({ value }) => value.id)]);
  }

  /** The ops of the graph that use a value. */
  uses(value: Value): readonly Op[] {
    return this.#uses.get(value.id) ?? [];
  }

  /** The one op that uses a value; none when there are more, or the value is an output and must stay what it is. */
  onlyUse(value: Value): Op | undefined {
    const uses = this.#outputs.has(value.id) ? [] : this.uses(value);
    return uses.length === 1 ? uses[0] : undefined;
  }

  /** A weight's expression. */
  weight(value: Value): WeightExpr | undefined {
    return this.#weights.get(value.id);
  }

  /** Whether a value is there before any op: a weight or a constant. */
  isLeaf(value: Value | null | undefined): boolean {
    return value != null && this.#leaves.has(value.id);
  }

  /** A value made once under a name, however many ops want it. */
  once(name: string, make: () => Value): Value {
    let value = this.#shared.get(name);
    if (value === undefined) this.#shared.set(name, (value = make()));
    return value;
  }
}

/** What stands for an op's results in ONNX Runtime's terms; undefined leaves the op as it is. */
export type Lowering = (op: Op, b: Builder, context: LowerContext) => readonly Value[] | undefined;
