import { DTYPES, sizeOf, type Tensor } from "@llm/tensor";
import { dimValue, type Sizes } from "./dim.ts";
import { GraphError } from "./error.ts";
import type { Graph, Value } from "./graph.ts";
import { interpret } from "./interpret.ts";
import { programOf, runPipeline } from "./pass.ts";
import { blockResults } from "./passes/expose-blocks.ts";
import { corePasses } from "./passes/index.ts";
import { floats } from "./values.ts";

/** One sequence's part of a step: tokens of `slot`, the first at position `at`. */
export interface ReferenceRow {
  readonly slot: number;
  readonly at: number;
  readonly tokens: ArrayLike<number>;
  /** Length of the whole prompt while it comes in chunks; what the slot holds afterwards, unless said. */
  readonly reach?: number;
  /** For how many of its last tokens logits are wanted; all, unless said. */
  readonly last?: number;
}

export interface ReferenceResult {
  readonly logits: Float32Array; // (last, vocab)
  /** hidden[0] is the input of the first block, hidden[i] what block i − 1 made. */
  readonly hidden: readonly Float32Array[]; // each (tokens, width)
}

export interface ReferenceOptions {
  readonly slots?: number;
  readonly context?: number;
}

/**
 * A decoder run by the interpreter over a dense cache for each slot: what `verify` and the tests compare with. It takes the
 * canonical packed graph and gives attention the fused form. Caches start as NaN, so that reading what was never written shows.
 */
export class ReferenceModel {
  readonly graph: Graph;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #hidden: readonly Value[];
  #states: ReadonlyMap<string, Tensor>;

  /** `weights` by value id, floats as f32: see `loadWeights`. */
  constructor(graph: Graph, weights: ReadonlyMap<string, Tensor>, options: ReferenceOptions = {}) {
    const { slots = 1, context = 256 } = options;
    const steps = [{ pass: "cache-form", params: { form: "fused" } }, { pass: "expose-blocks" }];
    this.graph = runPipeline(programOf(graph), steps, { passes: corePasses }).nets[0]!.graph;
    this.#weights = weights;
    this.#hidden = hiddenValues(this.graph);
    this.#states = new Map(this.graph.states.map(({ value }) => [value.id, emptyState(value, { slots, context })]));
  }

  /** Runs the rows' tokens in one call. Going back is `at`: what was stored from there on is overwritten. */
  step(rows: readonly ReferenceRow[]): ReferenceResult[] {
    const packed = packRows(rows);
    const inputs = Object.fromEntries(this.graph.inputs.map(({ id }) => [id, packed[id] ?? unknownInput(id)]));
    const { outputs, states } = interpret(this.graph, { inputs, weights: this.#weights, states: this.#states });
    this.#states = states;
    let token = 0;
    let output = 0;
    return rows.map(({ tokens, last = tokens.length }) => {
      const logits = cutRows(outputs.logits!, output, last);
      const hidden = this.#hidden.map(({ id }) => cutRows(outputs[id]!, token, tokens.length));
      token += tokens.length;
      output += last;
      return { logits, hidden };
    });
  }
}

/** The canonical inputs of packed rows, by name. */
export function packRows(rows: readonly ReferenceRow[]): Record<string, Tensor> {
  const columns = { ids: [] as number[], positions: [] as number[], slots: [] as number[], reach: [] as number[] };
  const wanted: number[] = [];
  for (const { slot, at, tokens, reach = at + tokens.length, last = tokens.length } of rows) {
    for (let i = 0; i < tokens.length; i++) {
      if (i >= tokens.length - last) wanted.push(columns.ids.length);
      columns.ids.push(tokens[i]!);
      columns.positions.push(at + i);
      columns.slots.push(slot);
      columns.reach.push(reach);
    }
  }
  return Object.fromEntries(
    Object.entries({ ...columns, rows: wanted }).map(([name, values]) => [
      name,
      { dtype: "i32", shape: [values.length], data: Int32Array.from(values) } satisfies Tensor,
    ]),
  );
}

/** The residual stream after each block but the last, which makes logits of it. */
function hiddenValues(graph: Graph): Value[] {
  return [...blockResults(graph)].slice(0, -1).map(([block, values]) => {
    if (values.length !== 1)
      throw new GraphError("unsupported", `block ${block} hands on ${values.length} values, not one residual stream`);
    return values[0]!;
  });
}

/** A cache in which nothing was ever written. */
export function emptyState({ type }: Value, sizes: Sizes): Tensor {
  const shape = type.shape.map((dim) => dimValue(dim, sizes));
  if (!DTYPES[type.dtype].float) throw new GraphError("unsupported", `a cache of ${type.dtype}`);
  return { dtype: "f32", shape, data: new Float32Array(sizeOf(shape)).fill(Number.NaN) };
}

/** Rows [from, from + count) of a tensor's last axis. */
export function cutRows(tensor: Tensor, from: number, count: number): Float32Array {
  const width = tensor.shape.at(-1)!;
  return floats(tensor).slice(from * width, (from + count) * width);
}

export function unknownInput(id: string): never {
  throw new GraphError("binding", `${id} is no input of a canonical decoder graph`);
}
