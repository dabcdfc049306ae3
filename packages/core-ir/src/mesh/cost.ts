import { sizeOf } from "@llm/tensor";
import type { Sizes } from "../dim.ts";
import type { Graph, Op, Type, Value } from "../graph.ts";
import { elementsIn, type Via } from "./conversion.ts";
import { type MeshAxes, placeGraph } from "./partition.ts";
import type { Placed } from "./place.ts";
import { localShape, type Placement, placementText, sizesOf, WHOLE } from "./placement.ts";
import { thinBlocks } from "./thin-blocks.ts";

/** What ranks tell one another for one value: the whole of it, and each rank's part where parts are told. */
export interface TalkCost {
  readonly via: Exclude<Via, "cut" | "first">;
  readonly type: Type;
  /** Elements of the axis that each rank has, and of the whole axis. */
  readonly parts?: readonly number[];
}

/** One block of a placed graph, in elements: what they are in bytes is for a device to say. */
export interface BlockCost {
  readonly name: string;
  /** By rank: slices of weights, each by a name that is the same where it is the same slice. */
  readonly weights: readonly ReadonlyMap<string, number>[];
  /** By rank: what a token keeps in the cache. */
  readonly cache: readonly number[];
  /** By rank: multiplications and additions for each token, and for each row that goes through the head. */
  readonly work: readonly { readonly token: number; readonly output: number }[];
  readonly talks: readonly TalkCost[];
  /** Elements for each token that the next block takes over. */
  readonly handed: number;
}

/** What every block of a model costs on so many ranks: alike blocks are placed once. */
export function meshCosts(graph: Graph, axes: MeshAxes): readonly BlockCost[] {
  const { graph: few, times } = thinBlocks(graph);
  return blockCosts(placeGraph(few, axes)).flatMap((cost, at) =>
    Array.from({ length: times[at]! }, (_, n) => (n === 0 ? cost : repeated(cost, n))),
  );
}

/** The same with other weights. */
function repeated(cost: BlockCost, n: number): BlockCost {
  const weights = cost.weights.map((slices) => new Map([...slices].map(([slice, size]) => [`${slice} #${n}`, size])));
  return { ...cost, name: `${cost.name} #${n}`, weights };
}

/**
 * What every block of a placed graph costs, without rewriting it. Ops outside all blocks count with the block after them, and what
 * ranks tell one another with the block that makes it, as `stages` has it.
 */
function blockCosts({ graph, ranks, ops }: Placed): readonly BlockCost[] {
  const leaves = new Set(graph.weights.map(({ value }) => value.id));
  const all = Array.from({ length: ranks }, (_, rank) => rank);
  const edges = graph.blocks.map(({ to }, at) => (at === graph.blocks.length - 1 ? ops.length : to));
  const homes = new Map<string, number>(); // of what a block makes
  const talkOf = graph.blocks.map((): TalkCost[] => []);
  return graph.blocks.map(({ name }, at) => {
    const part = ops.slice(edges[at - 1] ?? 0, edges[at]);
    for (const { op } of part) for (const { id } of op.outs) homes.set(id, at);
    const weights = all.map(() => new Map<string, number>());
    const cache = all.map(() => 0);
    const work = all.map(() => ({ token: 0, output: 0 }));
    const talks = talkOf[at]!;
    for (const { op, shard, conversions, after } of part) {
      op.ins.forEach((value, i) => {
        if (!value || !leaves.has(value.id)) return;
        for (const rank of all) noteWeight(weights[rank]!, value, shard.ins[i]!, rank);
      });
      for (const rank of all) {
        cache[rank]! += cachedElements(op, shard.ins, rank);
        const flops = flopsOf(op, shard.ins, rank);
        work[rank]![op.ins[0]?.type.shape[0] === "outputs" ? "output" : "token"] +=
          flops / (expertShare(op, shard.outs) ? ranks : 1);
      }
      for (const type of shard.sums ?? []) talks.push({ via: "all_reduce", type });
      for (const { via, value, from, to: wanted } of [...conversions, ...after]) {
        if (via === "cut" || via === "first") continue;
        const split = via === "all_gather" ? from : wanted;
        talkOf[homes.get(value.id) ?? at]!.push({
          via,
          type: value.type,
          ...(split.kind === "split" ? { parts: sizesOf(split) } : {}),
        });
      }
    }
    const last = part.at(-1)?.op.outs[0];
    return { name, weights, cache, work, talks, handed: last ? Number(last.type.shape.at(-1)) : 0 };
  });
}

/** Elements that rank `rank` is told, for these sizes, where every rank hears all others' terms or parts. */
export function toldElements({ via, type, parts }: TalkCost, rank: number, ranks: number, sizes: Sizes): number {
  const whole = elementsIn(type, sizes);
  if (via !== "all_gather" || !parts) return whole * (ranks - 1);
  return whole - (whole * parts[rank]!) / parts.reduce((a, b) => a + b, 0);
}

function noteWeight(into: Map<string, number>, value: Value, placement: Placement, rank: number): void {
  if (placement.kind === "partial" && rank > 0) return;
  const held = placement.kind === "partial" ? WHOLE : placement;
  into.set(`${value.id} ${placementText(held)}`, sizeOf(localShape(value.type, held, rank) as number[]));
}

function local(op: Op, ins: readonly (Placement | null)[], at: number, rank: number): readonly number[] {
  const value = op.ins[at]!;
  return localShape(value.type, ins[at]!, rank) as readonly number[];
}

function cachedElements(op: Op, ins: readonly (Placement | null)[], rank: number): number {
  if (op.kind === "attention")
    return sizeOf(local(op, ins, 1, rank).slice(-2)) + sizeOf(local(op, ins, 2, rank).slice(-2));
  if (op.kind === "latent_attention") return local(op, ins, 2, rank).at(-1)! + local(op, ins, 3, rank).at(-1)!;
  return 0;
}

function flopsOf(op: Op, ins: readonly (Placement | null)[], rank: number): number {
  if (op.kind === "linear") return 2 * sizeOf(local(op, ins, 1, rank));
  if (op.kind === "latent_attention") return 2 * (sizeOf(local(op, ins, 4, rank)) + sizeOf(local(op, ins, 5, rank)));
  if (op.kind !== "experts") return 0;
  const chosen = Number(op.ins[2]!.type.shape.at(-1));
  const one = [3, 4, 5].reduce((sum, at) => sum + (op.ins[at] ? sizeOf(local(op, ins, at, rank).slice(-2)) : 0), 0);
  return 2 * chosen * one;
}

/** Of experts that are shared out, a rank has on average its share of those that a token goes to. */
function expertShare(op: Op, outs: readonly Placement[]): boolean {
  return op.kind === "experts" && outs[0]?.kind === "partial";
}
