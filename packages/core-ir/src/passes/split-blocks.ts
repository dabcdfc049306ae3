import { dimSymbols } from "../dim.ts";
import { GraphError } from "../error.ts";
import type { Block, Graph, Move, Net, Op, Program, Value } from "../graph.ts";
import { pass } from "../pass.ts";
import { choice, optional, schema } from "../schema.ts";

/** Each block a net of its own, and moves for what one hands on to another. */
export const splitBlocks = pass({
  name: "split-blocks",
  doc: "Makes every block a net of its own; what they share is copied into those that use it, or is a net that runs first.",
  params: schema({
    /** What becomes of ops outside all blocks, such as masks; copy unless said. */
    shared: optional(choice("copy", "net")),
  }),
  run(program, { shared = "copy" }) {
    const [net] = program.nets;
    if (!net || program.nets.length > 1) throw new GraphError("unsupported", "split-blocks takes a program of one net");
    return split(shared === "net" ? withSharedBlock(net.graph) : net.graph);
  },
});

/** Ops outside all blocks as a block of their own, the first. */
function withSharedBlock(graph: Graph): Graph {
  const inBlock = new Set(graph.blocks.flatMap(({ from, to }) => graph.ops.slice(from, to)));
  const loose = graph.ops.filter((op) => !inBlock.has(op));
  if (loose.length === 0) return graph;
  let at = loose.length;
  const blocks = graph.blocks.map(({ name, from, to }) => ({ name, from: at, to: (at += to - from) }));
  const ops = [...loose, ...graph.blocks.flatMap(({ from, to }) => graph.ops.slice(from, to))];
  return { ...graph, ops, blocks: [{ name: "shared", from: 0, to: loose.length }, ...blocks] };
}

function split(graph: Graph): Program {
  const homes = new Map<string, string>(); // value id → block that makes it
  const loose = new Map<string, Op>(); // value id → the op outside all blocks that makes it
  const blockAt = new Map<number, Block>();
  for (const block of graph.blocks) for (let at = block.from; at < block.to; at++) blockAt.set(at, block);
  graph.ops.forEach((op, at) => {
    const block = blockAt.get(at);
    for (const { id } of op.outs)
      if (block) homes.set(id, block.name);
      else loose.set(id, op);
  });
  const used = new Map<string, Set<string>>(); // block → ids it takes from others
  for (const { name } of graph.blocks) used.set(name, new Set());
  const nets: Net[] = graph.blocks.map((block) => {
    const ops = withLoose(graph.ops.slice(block.from, block.to), loose);
    for (const op of ops)
      for (const value of op.ins) {
        const home = value && homes.get(value.id);
        if (home && home !== block.name) used.get(block.name)!.add(value.id);
      }
    return { id: block.name, graph: netGraph(graph, block, ops, used.get(block.name)!) };
  });
  const wanted = new Set([...used.values()].flatMap((ids) => [...ids]));
  const whole = nets.map((net) => ({ ...net, graph: withOutputs(net, graph, homes, wanted) }));
  const moves: Move[] = [...used].flatMap(([to, ids]) =>
    [...ids].map((id) => ({ from: { net: homes.get(id)!, output: id }, to: { net: to, input: id } })),
  );
  return { nets: whole, moves };
}

/** A block's ops with those outside all blocks that they need, in order. */
function withLoose(ops: readonly Op[], loose: ReadonlyMap<string, Op>): readonly Op[] {
  const needed = new Set<Op>();
  const visit = (op: Op) => {
    for (const value of op.ins) {
      const maker = value && loose.get(value.id);
      if (!maker || needed.has(maker)) continue;
      visit(maker);
      needed.add(maker);
    }
  };
  ops.forEach(visit);
  return [...needed, ...ops];
}

function netGraph(graph: Graph, block: Block, ops: readonly Op[], crossing: ReadonlySet<string>): Graph {
  const ids = new Set(ops.flatMap((op) => op.ins.map((value) => value?.id)));
  const takes = ({ id }: Value) => ids.has(id);
  const states = graph.states.filter(({ value }) => takes(value));
  const from = new Map(ops.flatMap((op) => op.ins).map((value) => [value?.id, value]));
  const inputs = [...graph.inputs.filter(takes), ...[...crossing].map((id) => from.get(id)!)];
  return {
    ...graph,
    name: `${graph.name}.${block.name}`,
    dims: graph.dims,
    inputs,
    outputs: [],
    weights: graph.weights.filter(({ value }) => takes(value)),
    constants: graph.constants.filter(({ value }) => takes(value)),
    states,
    ops,
    blocks: [{ name: block.name, from: ops.length - (block.to - block.from), to: ops.length }],
  };
}

/** What others take comes first, then what the whole graph gives. */
function withOutputs(net: Net, graph: Graph, homes: ReadonlyMap<string, string>, wanted: ReadonlySet<string>): Graph {
  const made = net.graph.ops.flatMap((op) => op.outs).filter(({ id }) => homes.get(id) === net.id);
  const handed = made.filter(({ id }) => wanted.has(id));
  const final = graph.outputs.filter(({ id }) => homes.get(id) === net.id && !wanted.has(id));
  const shaped = { ...net.graph, outputs: [...handed, ...final] };
  return { ...shaped, dims: dimsOf(shaped) };
}

function dimsOf(graph: Graph): Graph["dims"] {
  const symbols = new Set<string>();
  const note = ({ type }: Value) => {
    for (const dim of type.shape) for (const symbol of dimSymbols(dim)) symbols.add(symbol);
  };
  graph.inputs.forEach(note);
  for (const { value } of graph.states) note(value);
  for (const { outs } of graph.ops) outs.forEach(note);
  return Object.fromEntries(Object.entries(graph.dims).filter(([symbol]) => symbols.has(symbol)));
}
