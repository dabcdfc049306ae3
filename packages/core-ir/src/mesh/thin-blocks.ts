import { blockRuns } from "../block-classes.ts";
import type { Block, Graph, Op, Value } from "../graph.ts";
import { blockResults } from "../passes/expose-blocks.ts";
import { removeDead } from "../remove-dead.ts";

/** A graph with few of its blocks, and how many blocks each of them stands for. */
export interface ThinGraph {
  readonly graph: Graph;
  readonly times: readonly number[];
}

/** Of alike blocks: the first, which takes over what came before; one that stands for all between; and the last. */
const KEPT = 3;

const known = new WeakMap<Graph, ThinGraph>();

/** What is the same for alike blocks is found out for three of them. */
export function thinBlocks(graph: Graph): ThinGraph {
  let thin = known.get(graph);
  if (!thin) known.set(graph, (thin = thinned(graph)));
  return thin;
}

function thinned(graph: Graph): ThinGraph {
  const results = blockResults(graph);
  const stands = new Map<string, Value>();
  const gone = new Set<Block>();
  const times = new Map<Block, number>();
  for (const { blocks } of blockRuns(graph)) {
    for (const block of blocks) times.set(block, 1);
    const left = blocks.slice(2, -1);
    const streams = blocks.map(({ name }) => results.get(name) ?? []);
    if (blocks.length <= KEPT || streams.some((values) => values.length !== 1)) continue;
    for (const block of left) gone.add(block);
    stands.set(streams.at(-2)![0]!.id, streams[1]![0]!);
    times.set(blocks[1]!, 1 + left.length);
  }
  if (gone.size === 0) return { graph, times: graph.blocks.map(() => 1) };
  const ops: Op[] = [];
  const blocks: Block[] = [];
  const homes = new Map<number, Block>();
  for (const block of graph.blocks) for (let at = block.from; at < block.to; at++) homes.set(at, block);
  graph.ops.forEach((op, at) => {
    const home = homes.get(at);
    if (home && gone.has(home)) return;
    if (home && at === home.from)
      blocks.push({ name: home.name, from: ops.length, to: ops.length + home.to - home.from });
    const ins = op.ins.map((value) => (value && stands.get(value.id)) ?? value);
    ops.push(ins.some((value, i) => value !== op.ins[i]) ? { ...op, ins } : op);
  });
  const kept = graph.blocks.filter((block) => !gone.has(block));
  return { graph: removeDead({ ...graph, ops, blocks }), times: kept.map((block) => times.get(block)!) };
}
