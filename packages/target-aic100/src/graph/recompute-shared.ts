import { type Graph, type Move, type Net, noParams, type Op, pass, removeDead, type Value } from "@llm/core-ir";

/** For programs that share layers: what little follows from positions isn't worth handing from one to the next. */
export const recomputeShared = pass({
  name: "aic100-recompute-shared",
  doc: "Has each program compute masks and places from the inputs itself, instead of being told by the one that comes first.",
  params: noParams,
  run({ nets, moves }) {
    const told = new Set(moves.map(({ to }) => portOf(to.net, to.input)));
    const free = new Map(nets.map((net) => [net.id, freeOps(net, told)]));
    const isSpared = ({ from, combine }: Move) => combine === undefined && free.get(from.net)!.has(from.output);
    const spared = moves.filter(isSpared);
    const left = moves.filter((move) => !isSpared(move));
    const taken = new Set(left.map(({ from }) => portOf(from.net, from.output)));
    const wasTaken = new Set(moves.map(({ from }) => portOf(from.net, from.output)));
    return {
      nets: nets.map((net) => {
        const own = spared.filter(({ to }) => to.net === net.id);
        const graph = own.length === 0 ? net.graph : recomputed(net.graph, own, nets, free);
        const outputs = graph.outputs.filter(({ id }) => {
          const port = portOf(net.id, id);
          return taken.has(port) || !wasTaken.has(port);
        });
        return { ...net, graph: withoutUnread(removeDead({ ...graph, outputs })) };
      }),
      moves: left,
    };
  },
});

function portOf(net: string, port: string): string {
  return `${net} ${port}`;
}

/** By what they make: ops that depend on the program's own inputs alone. */
function freeOps({ id, graph }: Net, told: ReadonlySet<string>): ReadonlyMap<string, Op> {
  const known = new Set(graph.constants.map(({ value }) => value.id));
  for (const input of graph.inputs) if (!told.has(portOf(id, input.id))) known.add(input.id);
  const free = new Map<string, Op>();
  for (const op of graph.ops) {
    if (!op.ins.every((value) => value === null || known.has(value.id))) continue;
    for (const { id: made } of op.outs) {
      known.add(made);
      free.set(made, op);
    }
  }
  return free;
}

/** A graph with the ops before its own that make what it was told. */
function recomputed(
  graph: Graph,
  spared: readonly Move[],
  nets: readonly Net[],
  free: ReadonlyMap<string, ReadonlyMap<string, Op>>,
): Graph {
  const ops = new Set<Op>();
  const values = new Set<string>();
  // Of this rank alone: what others call by the same name is theirs.
  const sources = nets.filter(({ id }) => spared.some(({ from }) => from.net === id));
  for (const source of sources) {
    const wanted = spared.filter(({ from }) => from.net === source.id).map(({ from }) => from.output);
    const needed = new Set<Op>();
    const need = (id: string) => {
      const op = free.get(source.id)!.get(id);
      if (!op || needed.has(op)) return;
      needed.add(op);
      for (const value of op.ins) if (value) need(value.id);
    };
    wanted.forEach(need);
    for (const op of source.graph.ops) if (needed.has(op)) ops.add(op);
  }
  for (const { ins } of ops) for (const value of ins) if (value) values.add(value.id);
  const leaves = <T>(of: (graph: Graph) => readonly T[], idOf: (leaf: T) => string): readonly T[] => {
    const own = new Set(of(graph).map(idOf));
    const others = sources
      .flatMap((net) => of(net.graph))
      .filter((leaf) => values.has(idOf(leaf)) && !own.has(idOf(leaf)));
    return [...new Map(others.map((leaf) => [idOf(leaf), leaf])).values(), ...of(graph)];
  };
  const now = new Set(spared.map(({ to }) => to.input));
  const inputs = leaves<Value>(
    (one) => one.inputs,
    ({ id }) => id,
  );
  return {
    ...graph,
    inputs: inputs.filter(({ id }) => !now.has(id)),
    constants: leaves(
      (one) => one.constants,
      ({ value }) => value.id,
    ),
    ops: [...ops, ...graph.ops],
    blocks: graph.blocks.map(({ name, from, to }) => ({ name, from: from + ops.size, to: to + ops.size })),
  };
}

function withoutUnread(graph: Graph): Graph {
  const read = new Set([...graph.ops.flatMap(({ ins }) => ins), ...graph.outputs].map((value) => value?.id));
  return { ...graph, inputs: graph.inputs.filter(({ id }) => read.has(id)) };
}
