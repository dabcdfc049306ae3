import type { Tensor } from "@llm/tensor";
import type { Sizes } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Move, Net, Program } from "../graph.ts";
import { interpret } from "../interpret.ts";
import type { Dialect } from "../op-def.ts";
import { combine } from "./collectives.ts";

export interface ProgramBindings {
  /** Inputs of the whole program, for every net that takes one of that name. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** By net, then as `interpret` has them. */
  readonly weights: (net: Net) => ReadonlyMap<string, Tensor>;
  readonly states?: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;
  readonly sizes?: Sizes;
  readonly dialects?: readonly Dialect[];
}

export interface ProgramResults {
  /** By net: all that it made. */
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, Tensor>>>;
  readonly states: ReadonlyMap<string, ReadonlyMap<string, Tensor>>;
}

/** Runs nets by the interpreter, each as soon as what it takes is there, and does the moves between them. */
export function interpretProgram(program: Program, bindings: ProgramBindings): ProgramResults {
  const outputs = new Map<string, Readonly<Record<string, Tensor>>>();
  const states = new Map<string, ReadonlyMap<string, Tensor>>();
  for (const net of inOrder(program)) {
    const inputs = Object.fromEntries(
      net.graph.inputs.map(({ id }) => {
        const given = movesTo(program, net.id, id);
        return [id, given.length === 0 ? bindings.inputs[id] : arriving(given, outputs)] as const;
      }),
    );
    const missing = Object.entries(inputs).find(([, tensor]) => tensor === undefined);
    if (missing) throw new GraphError("binding", `net ${net.id}: nothing was given for ${missing[0]}`);
    const results = interpret(net.graph, {
      ...bindings,
      inputs: inputs as Readonly<Record<string, Tensor>>,
      weights: bindings.weights(net),
      states: bindings.states?.get(net.id) ?? new Map(),
    });
    outputs.set(net.id, results.outputs);
    states.set(net.id, results.states);
  }
  return { outputs, states };
}

/** The program's nets so that each comes after those whose outputs it takes. */
export function inOrder({ nets, moves }: Program): readonly Net[] {
  const before = new Map<string, string[]>();
  for (const { from, to } of moves) before.set(to.net, [...(before.get(to.net) ?? []), from.net]);
  const order: Net[] = [];
  const state = new Map<string, "open" | "done">();
  const byId = new Map(nets.map((net) => [net.id, net]));
  const visit = (id: string) => {
    if (state.get(id) === "done") return;
    if (state.get(id) === "open") throw new GraphError("spec", `net ${id} takes what it makes itself`);
    state.set(id, "open");
    for (const from of before.get(id) ?? []) visit(from);
    state.set(id, "done");
    order.push(byId.get(id)!);
  };
  for (const { id } of nets) visit(id);
  return order;
}

function movesTo({ moves }: Program, net: string, input: string): readonly Move[] {
  return moves.filter(({ to }) => to.net === net && to.input === input);
}

function arriving(moves: readonly Move[], made: ReadonlyMap<string, Readonly<Record<string, Tensor>>>): Tensor {
  const parts = moves.map(({ from }) => made.get(from.net)![from.output]!);
  const [{ combine: how, axis, span }] = moves as [Move];
  if (how === undefined) return parts[0]!;
  if (how === "concat") return combine(parts, { combine: how, axis: axis! });
  return combine(parts, { combine: how, ...(axis === undefined ? {} : { axis }), ...(span ? { span } : {}) });
}
