import { GraphError } from "../error.ts";
import type { Graph, Move, Net, Op, Program, Value } from "../graph.ts";
import { pass } from "../pass.ts";
import { integer, schema } from "../schema.ts";
import { collectives } from "./collectives.ts";

/** Each net's blocks as stages of a pipeline, one after another on devices of their own. */
export const stages = pass({
  name: "stages",
  doc: "Divides every net's blocks into stages of about equal weights, a net for each, and moves for what a stage hands on.",
  params: schema({ count: integer(1) }),
  run(program, { count }) {
    if (program.moves.length > 0)
      throw new GraphError(
        "unsupported",
        "stages takes nets that hand nothing on yet: it comes before cut-at-collectives",
      );
    return stagesOf(program.nets, count);
  },
});

/** Ranks of a stage hand on to the same rank of the next. */
function stagesOf(nets: readonly Net[], count: number): Program {
  if (count === 1) return { nets, moves: [] };
  const blocks = nets[0]!.graph.blocks;
  if (blocks.length < count)
    throw new GraphError("unsupported", `${blocks.length} blocks can't be ${count} stages of a pipeline`);
  const edges = stageEdges(ownWeights(nets[0]!.graph), count);
  const made = nets.map((net) => cutNet(net, edges));
  return { nets: made.flatMap(({ nets: stages }) => stages), moves: made.flatMap(({ moves }) => moves) };
}

/** Weights of each block that no block before it has. */
function ownWeights(graph: Graph): number[] {
  const size = new Map(
    graph.weights.map(({ value }) => [value.id, value.type.shape.reduce<number>((n, d) => n * Number(d), 1)]),
  );
  const seen = new Set<string>();
  return graph.blocks.map(({ from, to }) => {
    let sum = 0;
    for (const { ins } of graph.ops.slice(from, to))
      for (const value of ins)
        if (value && size.has(value.id) && !seen.has(value.id)) {
          seen.add(value.id);
          sum += size.get(value.id)!;
        }
    return sum;
  });
}

/** The first block of each stage: blocks are added to one until it has its share of the weights. */
export function stageEdges(weights: readonly number[], count: number): readonly number[] {
  const total = weights.reduce((a, b) => a + b, 0);
  const edges = [0];
  let sum = 0;
  weights.forEach((weight, block) => {
    const due = (edges.length * total) / count;
    const left = weights.length - block;
    const needed = count - edges.length;
    if (block > edges.at(-1)! && edges.length < count && (sum + weight / 2 >= due || left <= needed)) edges.push(block);
    sum += weight;
  });
  return edges;
}

function cutNet(net: Net, edges: readonly number[]): { nets: readonly Net[]; moves: readonly Move[] } {
  const { graph } = net;
  const shared = sharedOps(graph);
  const stageOf = stageOfOps(graph, edges);
  const home = new Map<string, number>();
  graph.ops.forEach((op, at) => {
    if (!shared.has(op)) for (const out of op.outs) home.set(out.id, stageOf[at]!);
  });
  const id = (stage: number) => `${net.id}.stage${stage}`;
  const moves: Move[] = [];
  const handed = new Map<string, Value>();
  const nets = edges.map((_, stage): Net => {
    const ops = withShared(graph, shared, (at) => stageOf[at] === stage);
    const taken = new Map<string, Value>();
    for (const value of ops.flatMap(({ ins }) => ins)) {
      const from = value && home.get(value.id);
      if (!value || from === undefined || from === null || from === stage || taken.has(value.id)) continue;
      taken.set(value.id, value);
      handed.set(value.id, value);
      moves.push({ from: { net: id(from), output: value.id }, to: { net: id(stage), input: value.id } });
    }
    return { ...net, id: id(stage), stage, graph: stageGraph(graph, stage, ops, [...taken.values()]) };
  });
  return {
    nets: nets.map((stage, i) => ({ ...stage, graph: withOutputs(stage.graph, graph, handed, home, i) })),
    moves,
  };
}

/** Ops outside all blocks that need nothing that a block makes: every stage that wants them does them itself. */
function sharedOps(graph: Graph): ReadonlySet<Op> {
  const inBlock = new Set(graph.blocks.flatMap(({ from, to }) => graph.ops.slice(from, to)));
  const bound = new Set<string>();
  const shared = new Set<Op>();
  for (const op of graph.ops)
    if (!inBlock.has(op) && !op.ins.some((value) => value && bound.has(value.id))) shared.add(op);
    else for (const { id } of op.outs) bound.add(id);
  return shared;
}

/** A stage's ops and those of the shared ones that they need, in order. */
function withShared(graph: Graph, shared: ReadonlySet<Op>, here: (at: number) => boolean): readonly Op[] {
  const wanted = new Set<string>();
  const kept = graph.ops.map(() => false);
  for (let at = graph.ops.length - 1; at >= 0; at--) {
    const op = graph.ops[at]!;
    kept[at] = shared.has(op) ? op.outs.some(({ id }) => wanted.has(id)) : here(at);
    if (kept[at]) for (const value of op.ins) if (value) wanted.add(value.id);
  }
  return graph.ops.filter((_, at) => kept[at]);
}

/**
 * Ops outside all blocks belong to the stage of the block after them; what ranks say of a value, to the stage that makes it, so
 * that a whole value is handed on.
 */
function stageOfOps(graph: Graph, edges: readonly number[]): number[] {
  const starts = edges.map((block) => graph.blocks[block]!.from);
  const homes = new Map<string, number>();
  return graph.ops.map((op, at) => {
    const here = Math.max(
      0,
      starts.findLastIndex((start) => start <= at),
    );
    const stage = Object.hasOwn(collectives.ops, op.kind) ? (homes.get(op.ins[0]!.id) ?? here) : here;
    for (const out of op.outs) homes.set(out.id, stage);
    return stage;
  });
}

function stageGraph(graph: Graph, stage: number, ops: readonly Op[], taken: readonly Value[]): Graph {
  const used = new Set(ops.flatMap(({ ins }) => ins.map((value) => value?.id)));
  const uses = ({ id }: Value) => used.has(id);
  const index = new Map(ops.map((op, at) => [op, at]));
  const blocks = graph.blocks.flatMap(({ name, from, to }) => {
    const own = graph.ops.slice(from, to).filter((op) => index.has(op));
    const first = own[0] && index.get(own[0])!;
    return first === undefined ? [] : [{ name, from: first, to: first + own.length }];
  });
  return {
    ...graph,
    name: `${graph.name}.stage${stage}`,
    inputs: [...graph.inputs.filter(uses), ...taken],
    outputs: [],
    weights: graph.weights.filter(({ value }) => uses(value)),
    constants: graph.constants.filter(({ value }) => uses(value)),
    states: graph.states.filter(({ value }) => uses(value)),
    ops,
    blocks,
  };
}

function withOutputs(
  stage: Graph,
  graph: Graph,
  handed: ReadonlyMap<string, Value>,
  home: ReadonlyMap<string, number>,
  at: number,
): Graph {
  const here = ({ id }: Value) => home.get(id) === at;
  const final = graph.outputs.filter((value) => here(value) && !handed.has(value.id));
  return { ...stage, outputs: [...[...handed.values()].filter(here), ...final] };
}
