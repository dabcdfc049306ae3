import type { ActivationName } from "../../decoder/functions.ts";
import { evenSpans, PARTIAL, splitAt, WHOLE } from "../placement.ts";
import type { ShardRule } from "../shard-rule.ts";

/**
 * Each rank has some of the experts and does what they are to do; a token that goes to another rank's counts nothing here.
 * With fewer experts than ranks, each has a part of every expert.
 */
export const shardExperts: ShardRule<{ readonly fn: ActivationName }> = ({ op, ranks }) => {
  const [, , , gate = null, up] = op.ins;
  const [count, inner] = up!.type.shape as [number, number];
  const byExpert = evenSpans(count, ranks);
  if (!byExpert) {
    const within = evenSpans(inner, ranks);
    if (!within) return [];
    const [rows, columns] = [splitAt(-2, within), splitAt(-1, within)];
    return [{ ins: [WHOLE, WHOLE, WHOLE, gate && rows, rows, columns], outs: [PARTIAL] }];
  }
  const own = splitAt(-3, byExpert);
  return [
    {
      ins: [WHOLE, WHOLE, WHOLE, gate && own, own, own],
      outs: [PARTIAL],
      build(b, [x, weights, ids, g, u, down], rank) {
        const [start, end] = byExpert[rank]!;
        const at = b.sub(ids!, b.constant(start, "i32"));
        const here = b.binary(
          "and",
          b.compare("ge", at, b.constant(0, "i32")),
          b.compare("lt", at, b.constant(end - start, "i32")),
        );
        const mine = {
          weights: b.where(here, weights!, b.scalar(0, weights!)),
          ids: b.clip(at, { min: 0, max: end - start - 1 }),
        };
        return [b.experts(x!, mine, { gate: g ?? null, up: u!, down: down! }, op.attrs.fn)];
      },
    },
  ];
};
