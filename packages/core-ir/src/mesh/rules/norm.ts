import type { Builder } from "../../builder.ts";
import type { Type, Value } from "../../graph.ts";
import { disjoint, type Placement, WHOLE } from "../placement.ts";
import { type Shard, type ShardRule, splitsNamed } from "../shard-rule.ts";

interface NormAttrs {
  readonly kind: "rms" | "layer";
  readonly eps: number;
  readonly plusOne?: boolean;
  readonly axes?: number;
  readonly [name: string]: string | number | boolean | undefined;
}

/**
 * Along an axis that isn't normed, each rank norms its own. Along one that is, ranks add up what the mean is made of: a number
 * or two for each token instead of its whole width.
 */
export const shardNorm: ShardRule<NormAttrs> = ({ op, ranks, ins, wants }) => {
  const { kind, axes = 1 } = op.attrs;
  const [x, w = null, bias = null] = op.ins;
  const shards: Shard[] = [];
  for (const { split } of splitsNamed({ ins: ins.slice(0, 1), wants })) {
    const of = (leaf: Value | null): Placement | null =>
      leaf && (-split.axis <= leaf.type.shape.length ? split : WHOLE);
    const placed = { ins: [split, of(w), of(bias)], outs: [split] };
    if (-split.axis > axes) shards.push(placed);
    else if (disjoint(split)) {
      const sum: Type = {
        dtype: x!.type.dtype,
        shape: x!.type.shape.map((d, i, all) => (i < all.length - axes ? d : 1)),
      };
      shards.push({
        ...placed,
        sums: kind === "layer" ? [sum, sum] : [sum],
        build: (b, [part, weight, shift]) => [normApart(b, x!, part!, weight ?? null, shift ?? null, op.attrs, ranks)],
      });
    }
  }
  return shards;
};

/** Split along the normed axis, as `norm`'s own lowering but for sums over all ranks. */
function normApart(
  b: Builder,
  whole: Value,
  x: Value,
  w: Value | null,
  bias: Value | null,
  { kind, eps, plusOne = false, axes = 1 }: NormAttrs,
  ranks: number,
): Value {
  const last = Array.from({ length: axes }, (_, i) => i - axes);
  const width = whole.type.shape.slice(-axes).reduce<number>((size, dim) => size * Number(dim), 1);
  const mean = (of: Value) => b.scale(b.op("all_reduce", [b.reduce("sum", of, last)], { ranks }), 1 / width);
  const centred = kind === "layer" ? b.sub(x, mean(x)) : x;
  const variance = mean(b.mul(centred, centred));
  let y = b.mul(centred, b.unary("rsqrt", b.add(variance, b.scalar(eps, variance))));
  if (w) y = b.mul(y, plusOne ? b.add(w, b.scalar(1, w)) : w);
  return bias ? b.add(y, bias) : y;
}
