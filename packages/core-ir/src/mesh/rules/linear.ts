import { evenSpans, PARTIAL, type Placement, type Split, splitAt, WHOLE } from "../placement.ts";
import { type Shard, type ShardRule, splitsNamed } from "../shard-rule.ts";

/** Rows of the weight make parts of the result; columns take parts of the operand and make terms of a sum. */
export const shardLinear: ShardRule = ({ op, ranks, ins, wants, step, splittable }) => {
  const [x, w, bias = null] = op.ins;
  const shards: Shard[] = [];
  const columns = (split: Split): Shard => ({
    ins: [split, split, bias && PARTIAL], // added once: by the first
    outs: [PARTIAL],
    build: (b, [part, weight, b0]) => [b.linear(part!, weight!, b0 ?? null)],
  });
  for (const { at, split } of splitsNamed({ ins: ins.slice(0, 1), wants }))
    if (at === 0 && split.axis === -1 && wants[0])
      continue; // rows are wanted: the operand is put together for them
    else if (split.axis < -1)
      shards.push({ ins: [split, WHOLE, bias && WHOLE], outs: [split] }); // parts of the tokens
    else if (at === "out") {
      const rows: Placement = splitAt(-2, split.spans);
      shards.push({ ins: [WHOLE, rows, bias && split], outs: [split] });
    } else shards.push(columns(split));
  const inner = w!.type.shape[1] as number;
  const spans = evenSpans(inner, ranks, inner >= ranks * step ? step : 1);
  if (ins[0] === undefined && spans && !wants[0] && splittable(x!)) shards.push(columns(splitAt(-1, spans)));
  return shards;
};
