import { leavesOf, type WeightExpr } from "@llm/tensor";
import type { Graph, Op, Value } from "../graph.ts";
import { placeGraph } from "./partition.ts";
import type { Placed, PlacedOp } from "./place.ts";
import { type Placement, type Split, splitAt } from "./placement.ts";
import { stageEdges } from "./stages.ts";
import { thinBlocks } from "./thin-blocks.ts";

export interface DescribedMesh {
  readonly dp?: number;
  readonly mp?: number;
  readonly pp?: number;
}

/**
 * A mesh as a picture: which slice of which tensor lives where, block by block, and where ranks tell one another something.
 * Alike blocks are drawn once.
 *
 * @example
 * console.log(describeMesh(graph, { dp: 1, mp: 2 }));
 */
export function describeMesh(graph: Graph, { dp = 1, mp = 1, pp = 1 }: DescribedMesh): string {
  const { graph: few, times } = thinBlocks(graph);
  const placed = placeGraph(few, { mp });
  const heads = ["", ...Array.from({ length: mp }, (_, rank) => `shard ${rank + 1}`)];
  const sections = sectionsOf(placed, times);
  const rows = sections.flatMap(({ lines }) => lines).filter((cells) => cells.length > 1);
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  const copies = dp === 1 ? "one copy" : `${dp} copies, each`;
  const out = [
    `mesh ${dp}x${mp}${pp > 1 ? `x${pp}` : ""}: ${copies} over ${mp === 1 ? "one shard" : `${mp} shards`} a layer`,
    line(heads),
  ];
  for (const { title, lines } of sections) out.push(title, ...lines.map((cells) => line(cells)));
  if (pp > 1) out.push("", ...stageLines(graph, pp));
  return `${out.join("\n")}\n`;
}

interface Section {
  readonly title: string;
  readonly lines: readonly (readonly string[])[];
}

function sectionsOf(placed: Placed, times: readonly number[]): readonly Section[] {
  const { graph, ops } = placed;
  const leaves = new Map(graph.weights.map(({ value, expr }) => [value.id, leafName(value.id, expr)]));
  const sections: {
    first: number;
    last: number;
    names: string;
    lines: readonly (readonly string[])[];
    text: string;
  }[] = [];
  let number = 0; // of a block in the whole model
  graph.blocks.forEach(({ name, from, to }, at) => {
    const count = times[at]!;
    const lines = ops.slice(from, to).flatMap((op) => linesOf(op, leaves, placed.ranks));
    const text = lines
      .map((cells) => cells.map((cell) => cell.replace(/( of )\S+/, "$1#").replaceAll(/\d+(?=\.)/g, "#")).join("|"))
      .join("\n");
    const last = sections.at(-1);
    const numbered = /^block_(\d+)$/.test(name);
    if (numbered && last?.text === text && last.names === "block") last.last = number + count - 1;
    else sections.push({ first: number, last: number + count - 1, names: numbered ? "block" : name, lines, text });
    if (numbered) number += count;
  });
  return sections.map(({ first, last, names, lines }) => ({
    title:
      names !== "block"
        ? names
        : first === last
          ? `block_${first}`
          : `block_${first} … block_${last}, ${last - first + 1} alike`,
    lines,
  }));
}

/** A piece of a published tensor is called by it: "c_attn.weight, 48…60". */
function leafName(id: string, expr: WeightExpr): string {
  if (expr.op !== "slice") return id;
  return `${leavesOf(expr)[0]!.name}, ${expr.start}…${expr.end}`;
}

function linesOf(
  { op, shard, conversions, after }: PlacedOp,
  leaves: ReadonlyMap<string, string>,
  ranks: number,
): string[][] {
  const talk = ({ via, value }: PlacedOp["conversions"][number]) =>
    via === "cut" || via === "first"
      ? []
      : [[`  ⇄ ${via.replace("_", "-")} of ${value.id} [${value.type.shape.join(", ")}]`]];
  const weights = op.ins.flatMap((value, i) =>
    value && leaves.has(value.id)
      ? [[`  ${leaves.get(value.id)} [${value.type.shape.join(", ")}]`, ...slices(op, i, shard.ins[i]!, ranks)]]
      : [],
  );
  return [
    ...conversions.flatMap(talk),
    ...headLines(op, shard.ins, ranks),
    ...weights,
    ...(shard.sums ?? []).map(({ shape }) => [`  ⇄ all-reduce within ${op.kind} [${shape.join(", ")}]`]),
    ...after.flatMap(talk),
  ];
}

/** Which part of an operand each rank has, in words. */
function slices(op: Op, at: number, placement: Placement, ranks: number): string[] {
  if (placement.kind === "whole") return Array(ranks).fill("whole");
  if (placement.kind === "partial") return Array.from({ length: ranks }, (_, rank) => (rank === 0 ? "whole" : "–"));
  const what = axisName(op, op.ins[at]!, placement);
  return placement.spans.map(([start, end]) => `${what} ${start}…${end}`);
}

function axisName(op: Op, { type }: Value, { axis }: Split): string {
  if (type.shape.length === 1) return "entries";
  if (axis === -3) return op.kind === "experts" ? "experts" : "heads";
  return axis === -2 ? "rows" : "columns";
}

function headLines(op: Op, ins: readonly (Placement | null)[], ranks: number): string[][] {
  if (op.kind !== "attention" && op.kind !== "latent_attention") return [];
  const [q, k] = ins;
  const part = (placement: Placement | null | undefined, count: number, rank: number) => {
    const { spans } = placement?.kind === "split" ? placement : splitAt(-2, Array(ranks).fill([0, count]));
    return `${spans[rank]![0]}…${spans[rank]![1]}`;
  };
  const [heads, groups] = [0, 1].map((at) => Number(op.ins[at]!.type.shape.at(-2)));
  return [
    [
      "  heads of queries, of keys",
      ...Array.from({ length: ranks }, (_, rank) =>
        op.kind === "attention"
          ? `${part(q, heads!, rank)}, ${part(k, groups!, rank)}`
          : `${part(q, heads!, rank)}, one for all`,
      ),
    ],
  ];
}

function stageLines(graph: Graph, pp: number): string[] {
  const sizes = new Map(
    graph.weights.map(({ value }) => [value.id, value.type.shape.reduce<number>((n, d) => n * Number(d), 1)]),
  );
  const blocks = graph.blocks.map(({ from, to }) =>
    graph.ops
      .slice(from, to)
      .reduce((sum, { ins }) => sum + ins.reduce((n, value) => n + ((value && sizes.get(value.id)) ?? 0), 0), 0),
  );
  const edges = stageEdges(blocks, pp);
  return edges.map((from, stage) => {
    const names = graph.blocks.slice(from, edges[stage + 1]).map(({ name }) => name);
    return `stage ${stage + 1}: ${names.length === 1 ? names[0] : `${names[0]} … ${names.at(-1)}`}`;
  });
}
