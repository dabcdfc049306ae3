import type { Builder } from "../../builder.ts";
import type { Value } from "../../graph.ts";
import { evenSpans, PARTIAL, splitAt, WHOLE } from "../placement.ts";
import type { ShardRule } from "../shard-rule.ts";

/** Each rank looks up the ids that are in its rows of the table; of the others it has zeros. */
export const shardEmbed: ShardRule<{ readonly offset?: number }> = ({ op, ranks }) => {
  const [table] = op.ins;
  const spans = evenSpans(table!.type.shape[0] as number, ranks);
  if (!spans) return [];
  const { offset = 0 } = op.attrs;
  return [
    {
      ins: [splitAt(-2, spans), WHOLE],
      outs: [PARTIAL],
      build: (b, [rows, ids], rank) => [lookUp(b, rows!, ids!, offset, spans[rank]!)],
    },
  ];
};

function lookUp(b: Builder, rows: Value, ids: Value, offset: number, [start, end]: readonly [number, number]): Value {
  const present = b.clip(ids, { min: 0 });
  const at = b.sub(present, b.constant(start - offset, "i32"));
  const here = b.binary(
    "and",
    b.compare("ge", at, b.constant(0, "i32")),
    b.compare("lt", at, b.constant(end - start, "i32")),
  );
  const found = b.embed(rows, b.clip(at, { min: 0, max: end - start - 1 }));
  return b.where(b.reshape(here, [1], 0), found, b.scalar(0, found));
}
