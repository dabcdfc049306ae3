import { reusingArena, type Tensor, type WeightSource } from "@llm/tensor";
import type { Graph, Program } from "./graph.ts";
import { interpret } from "./interpret.ts";
import { loadWeights } from "./load-weights.ts";
import { programOf, runPipeline } from "./pass.ts";
import { corePasses } from "./passes/index.ts";
import {
  cutRows,
  emptyState,
  packRows,
  type ReferenceOptions,
  type ReferenceResult,
  type ReferenceRow,
  unknownInput,
} from "./reference-model.ts";

/**
 * As `ReferenceModel`, for models larger than memory: block after block, each one's weights read for the call and let go. It
 * keeps caches, and so costs a reading of the whole checkpoint per step.
 */
export class StreamedReference {
  readonly #program: Program;
  readonly #source: WeightSource;
  readonly #states = new Map<string, Tensor>();

  constructor(graph: Graph, source: WeightSource, { slots = 1, context = 256 }: ReferenceOptions = {}) {
    const steps = [{ pass: "cache-form", params: { form: "fused" } }, { pass: "split-blocks" }];
    this.#program = runPipeline(programOf(graph), steps, { passes: corePasses });
    this.#source = source;
    for (const net of this.#program.nets)
      for (const { value } of net.graph.states) this.#states.set(value.id, emptyState(value, { slots, context }));
  }

  /** `signal` is heard before each block. */
  async step(rows: readonly ReferenceRow[], signal?: AbortSignal): Promise<ReferenceResult[]> {
    const values = new Map(Object.entries(packRows(rows)));
    const streams: Tensor[] = [];
    const arena = reusingArena(); // a block's weights are done with when its results are there
    for (const { graph } of this.#program.nets) {
      signal?.throwIfAborted();
      const inputs = Object.fromEntries(graph.inputs.map(({ id }) => [id, values.get(id) ?? unknownInput(id)]));
      arena.reset();
      const weights = await loadWeights(graph, this.#source, arena.take);
      const { outputs, states } = interpret(graph, { inputs, weights, states: this.#states });
      for (const [id, state] of states) this.#states.set(id, state);
      for (const [id, output] of Object.entries(outputs)) values.set(id, output);
      const [handed] = Object.values(outputs);
      if (handed && outputs.logits === undefined) streams.push(handed);
    }
    arena.done();
    const logits = values.get("logits")!;
    let token = 0;
    let output = 0;
    return rows.map(({ tokens, last = tokens.length }) => {
      const result = {
        logits: cutRows(logits, output, last),
        hidden: streams.map((stream) => cutRows(stream, token, tokens.length)),
      };
      token += tokens.length;
      output += last;
      return result;
    });
  }
}
