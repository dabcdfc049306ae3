import type { Dim } from "../../dim.ts";
import { PARTIAL, type Placement, type Split, spanSize, splitAt } from "../placement.ts";
import { type ShardRule, splitsNamed } from "../shard-rule.ts";

/** Axes over the same elements: a split goes through where the entries of one axis are runs of the other's. */
export const shardReshape: ShardRule<{ readonly to: readonly Dim[]; readonly last?: number }> = ({
  op,
  ins,
  wants,
}) => {
  const { to, last } = op.attrs;
  if (ins[0]?.kind === "partial") return [{ ins: [PARTIAL], outs: [PARTIAL] }];
  if (last === undefined) return [];
  const from = op.ins[0]!.type.shape.slice(op.ins[0]!.type.shape.length - last);
  const [x, want] = [ins[0], wants[0]];
  const out = x?.kind === "split" ? through(x, from, to) : want;
  const into = x?.kind === "split" ? x : want && through(want, to, from);
  if (!out || !into) return [];
  const attrs = (rank: number) => {
    const local = -out.axis <= to.length ? to.with(out.axis, spanSize(out.spans[rank]!)) : to;
    return { to: local, last };
  };
  return [{ ins: [into], outs: [out], attrs }];
};

/** A split of the last axes `from` as one of the same elements seen as `to`; undefined where that is none. */
export function through(split: Split, from: readonly Dim[], to: readonly Dim[]): Split | undefined {
  if (-split.axis > from.length) return splitAt(split.axis + from.length - to.length, split.spans);
  const at = from.length + split.axis;
  const product = (shape: readonly Dim[]) => shape.reduce<number>((size, dim) => size * Number(dim), 1);
  const [outer, inner] = [product(from.slice(0, at)), product(from.slice(at + 1))];
  for (const [i, size] of to.entries()) {
    if (product(to.slice(0, i)) !== outer || size === 1) continue;
    const unit = product(to.slice(i + 1));
    const spans = split.spans.map(([start, end]) => [(start * inner) / unit, (end * inner) / unit] as const);
    if (Number(size) * unit !== Number(from[at]) * inner || !spans.flat().every(Number.isInteger)) return undefined;
    return splitAt(i - to.length, spans);
  }
  return undefined;
}

/** Pieces, and what is put together: along one axis whole, along any other parts of parts. */
const along =
  (keeps: (split: Split, axis: number) => boolean): ShardRule =>
  (question) => {
    const { op, ins, wants } = question;
    const axis = axisFromEnd(op.attrs.axis as number, op.ins[0]!.type.shape.length);
    if (ins.length > 0 && ins.every((placement) => placement?.kind === "partial"))
      return [{ ins: ins as Placement[], outs: op.outs.map(() => PARTIAL) }];
    const named = splitsNamed({ ins, wants: [wants.find((want) => want !== undefined)] });
    return named
      .filter(({ split }) => keeps(split, axis))
      .map(({ split }) => ({ ins: op.ins.map(() => split), outs: op.outs.map(() => split) }));
  };

export const shardAlong: ShardRule = along((split, axis) => split.axis !== axis);

function axisFromEnd(axis: number, rank: number): number {
  return axis < 0 ? axis : axis - rank;
}
