import { GraphError } from "../error.ts";
import type { Graph, Move, Net, Op, Value } from "../graph.ts";
import { noParams, pass } from "../pass.ts";
import { collectives } from "./collectives.ts";

/** For devices that can't talk in the middle of a net: what they would say becomes moves between smaller nets. */
export const cutAtCollectives = pass({
  name: "cut-at-collectives",
  doc: "Cuts every rank's net where it needs the others, and makes moves that add up or put together of the collectives.",
  params: noParams,
  run(program) {
    const nets = program.nets.map((net) => ({ ...net, graph: withOwnOutputs(net.graph) }));
    const groups = Map.groupBy(nets, ({ stage }) => stage ?? 0);
    const cut = [...groups.values()].map(cutGroup);
    return {
      nets: cut.flatMap(({ nets }) => nets),
      moves: [...program.moves.flatMap((move) => moved(move, cut)), ...cut.flatMap(({ moves }) => moves)],
    };
  },
});

interface CutGroup {
  readonly nets: readonly Net[];
  readonly moves: readonly Move[];
  /** Of each net that was cut, in order, the nets that it became. */
  readonly parts: ReadonlyMap<string, readonly Net[]>;
}

const isCollective = ({ kind }: Op): boolean => Object.hasOwn(collectives.ops, kind);

/** What is heard last is handed on by an op of its own: a net doesn't give back what it was given. */
function withOwnOutputs(graph: Graph): Graph {
  const told = graph.ops.filter((op) => isCollective(op) && graph.outputs.some(({ id }) => id === op.outs[0]!.id));
  if (told.length === 0) return graph;
  const heard = new Map(told.map((op) => [op, { ...op.outs[0]!, id: `${op.outs[0]!.id}.heard` }]));
  const byId = new Map(told.map((op) => [op.outs[0]!.id, heard.get(op)!]));
  const copies = told.map((op): Op => {
    const [out] = op.outs as [Value];
    return { kind: "reshape", ins: [heard.get(op)!], outs: [out], attrs: { to: [], last: 0 } };
  });
  const ops = graph.ops.map((op): Op => {
    const own = heard.get(op);
    if (own) return { ...op, outs: [own] };
    return op.ins.some((value) => value && byId.has(value.id))
      ? { ...op, ins: op.ins.map((value) => (value && byId.get(value.id)) ?? value) }
      : op;
  });
  const last = graph.blocks.at(-1);
  const blocks =
    last?.to === graph.ops.length
      ? [...graph.blocks.slice(0, -1), { ...last, to: last.to + copies.length }]
      : graph.blocks;
  return { ...graph, ops: [...ops, ...copies], blocks };
}

/** Ranks that talk with one another: their collectives are the same in the same order. */
function cutGroup(nets: readonly Net[]): CutGroup {
  const talk = nets.map(({ graph }) => graph.ops.filter(isCollective));
  if (talk[0]!.length === 0) return { nets, moves: [], parts: new Map(nets.map((net) => [net.id, [net]])) };
  talk.forEach((ops, i) => {
    if (ops.map(({ kind }) => kind).join() !== talk[0]!.map(({ kind }) => kind).join())
      throw new GraphError("spec", `${nets[i]!.id} and ${nets[0]!.id} don't talk about the same`);
  });
  const levels = levelsOf(nets, talk);
  const parts = nets.map((net, i) => cutNet(net, levels[i]!));
  const moves = parts.flatMap(({ own }) => own);
  for (const [n, op] of talk[0]!.entries())
    nets.forEach((net, rank) => {
      const { outs } = talk[rank]![n]!;
      const users = parts[rank]!.nets.filter(({ graph }) => graph.inputs.some(({ id }) => id === outs[0]!.id));
      for (const user of users)
        talk.forEach((theirs, peer) => {
          const term = theirs[n]!.ins[0]!;
          const maker = parts[peer]!.makers.get(term.id);
          if (maker === undefined)
            throw new GraphError("unsupported", `${term.id} of ${nets[peer]!.id} is nothing that was made`);
          moves.push({
            from: { net: partId(nets[peer]!, maker), output: term.id },
            to: { net: user.id, input: outs[0]!.id },
            ...combination(op, net.rank ?? rank),
          });
        });
    });
  return {
    nets: parts.flatMap((part) => part.nets),
    moves,
    parts: new Map(nets.map((net, i) => [net.id, parts[i]!.nets])),
  };
}

function combination({ kind, attrs }: Op, rank: number): Pick<Move, "combine" | "axis" | "span"> {
  if (kind === "all_reduce") return { combine: "sum" };
  const axis = attrs.axis as number;
  if (kind === "all_gather") return { combine: "concat", axis };
  const sizes = attrs.sizes as readonly number[];
  const start = sizes.slice(0, rank).reduce((a, b) => a + b, 0);
  return { combine: "sum", axis, span: [start, start + sizes[rank]!] };
}

/** After how many talks each value is there: as few as for the rank that is last. */
function levelsOf(nets: readonly Net[], talk: readonly (readonly Op[])[]): readonly Map<string, number>[] {
  const levels = nets.map(() => new Map<string, number>());
  const at = nets.map(() => 0);
  const level = (rank: number, op: Op) =>
    op.ins.reduce((most, value) => Math.max(most, (value && levels[rank]!.get(value.id)) ?? 0), 0);
  const upTo = (rank: number, end: Op | undefined) => {
    const { ops } = nets[rank]!.graph;
    for (; at[rank]! < ops.length && ops[at[rank]!] !== end; at[rank]!++) {
      const op = ops[at[rank]!]!;
      for (const out of op.outs) levels[rank]!.set(out.id, level(rank, op));
    }
  };
  let last = 0;
  for (let n = 0; n < talk[0]!.length; n++) {
    for (const rank of nets.keys()) upTo(rank, talk[rank]![n]);
    last = Math.max(last, ...talk.map((ops, rank) => level(rank, ops[n]!)));
    talk.forEach((ops, rank) => {
      levels[rank]!.set(ops[n]!.outs[0]!.id, last + 1);
      at[rank]!++;
    });
  }
  for (const rank of nets.keys()) upTo(rank, undefined);
  return levels;
}

interface Parts {
  readonly nets: readonly Net[];
  /** Moves between parts of this net. */
  readonly own: Move[];
  /** By id of a value: the part that makes it. */
  readonly makers: ReadonlyMap<string, number>;
}

function partId(net: Net, part: number): string {
  return `${net.id}.${part}`;
}

function cutNet(net: Net, levels: ReadonlyMap<string, number>): Parts {
  const { graph } = net;
  const blockOf = new Map<Op, string>();
  for (const { name, from, to } of graph.blocks) for (const op of graph.ops.slice(from, to)) blockOf.set(op, name);
  const work = graph.ops.filter((op) => !isCollective(op));
  const makers = new Map<string, number>();
  for (const op of work) for (const out of op.outs) makers.set(out.id, levels.get(out.id)!);
  const count = Math.max(...makers.values()) + 1;
  const told = new Map(graph.ops.filter(isCollective).map((op) => [op.outs[0]!.id, op]));
  const wanted = new Set(graph.outputs.map(({ id }) => id)); // what a part must hand on
  for (const op of told.values()) wanted.add(op.ins[0]!.id);
  for (const op of work)
    for (const value of op.ins) {
      const maker = value && makers.get(value.id);
      if (value && maker !== undefined && maker !== null && maker !== levels.get(op.outs[0]!.id)) wanted.add(value.id);
    }
  const own: Move[] = [];
  const nets = Array.from({ length: count }, (_, part): Net => {
    const ops = work.filter((op) => levels.get(op.outs[0]!.id) === part);
    const taken = new Map<string, Value>();
    for (const value of ops.flatMap(({ ins }) => ins)) {
      if (!value || taken.has(value.id)) continue;
      const maker = makers.get(value.id);
      if (told.has(value.id)) taken.set(value.id, value);
      if (maker === undefined || maker === part) continue;
      taken.set(value.id, value);
      own.push({
        from: { net: partId(net, maker), output: value.id },
        to: { net: partId(net, part), input: value.id },
      });
    }
    const made = ops.flatMap(({ outs }) => outs).filter(({ id }) => wanted.has(id));
    return { ...net, id: partId(net, part), graph: partGraph(graph, part, ops, [...taken.values()], made, blockOf) };
  });
  return { nets, own, makers };
}

function partGraph(
  graph: Graph,
  part: number,
  ops: readonly Op[],
  taken: readonly Value[],
  made: readonly Value[],
  blockOf: ReadonlyMap<Op, string>,
): Graph {
  const used = new Set(ops.flatMap(({ ins }) => ins.map((value) => value?.id)));
  const uses = ({ id }: Value) => used.has(id);
  const blocks: { name: string; from: number; to: number }[] = [];
  ops.forEach((op, at) => {
    const name = blockOf.get(op);
    const last = blocks.at(-1);
    if (name === undefined) return;
    if (last?.name === name && last.to === at) last.to++;
    else blocks.push({ name, from: at, to: at + 1 });
  });
  return {
    ...graph,
    name: `${graph.name}.${part}`,
    dialects: graph.dialects.filter((name) => name !== collectives.name),
    inputs: [...graph.inputs.filter(uses), ...taken],
    outputs: made,
    weights: graph.weights.filter(({ value }) => uses(value)),
    constants: graph.constants.filter(({ value }) => uses(value)),
    states: graph.states.filter(({ value }) => uses(value)),
    ops,
    blocks,
  };
}

/** A move between nets that were cut: from the part that has its output to every part that has its input. */
function moved(move: Move, groups: readonly CutGroup[]): Move[] {
  const partsOf = (net: string) => groups.flatMap(({ parts }) => parts.get(net) ?? []);
  const from = partsOf(move.from.net).find(({ graph }) => graph.outputs.some(({ id }) => id === move.from.output));
  if (!from) throw new GraphError("spec", `no part of ${move.from.net} makes ${move.from.output}`);
  return partsOf(move.to.net)
    .filter(({ graph }) => graph.inputs.some(({ id }) => id === move.to.input))
    .map(({ id }) => ({ ...move, from: { ...move.from, net: from.id }, to: { ...move.to, net: id } }));
}
