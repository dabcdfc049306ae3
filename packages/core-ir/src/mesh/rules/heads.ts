import type { Attrs } from "../../graph.ts";
import { evenSpans, type Span, scaleSpans, splitAt, WHOLE } from "../placement.ts";
import type { ShardRule } from "../shard-rule.ts";

/** Which query heads and which key heads each rank has. */
export interface HeadSpans {
  readonly queries: readonly Span[];
  readonly keys: readonly Span[];
}

/**
 * Whole groups of query heads with their key head go to each rank while there are enough; where there are fewer groups than
 * ranks, several ranks share a group and each has its key head. Undefined where a rank would have no head.
 */
export function headSpans(heads: number, groups: number, ranks: number): HeadSpans | undefined {
  const each = heads / groups;
  const whole = evenSpans(groups, ranks);
  if (whole) return { queries: scaleSpans(whole, each), keys: whole };
  const shares = evenSpans(ranks, groups);
  if (!shares) return undefined;
  const queries: Span[] = [];
  const keys: Span[] = [];
  for (const [group, [from, to]] of shares.entries()) {
    const parts = evenSpans(each, to - from);
    if (!parts) return undefined;
    for (const [start, end] of parts) {
      queries.push([group * each + start, group * each + end]);
      keys.push([group, group + 1]);
    }
  }
  return { queries, keys };
}

/** By heads: queries with the keys that they see, slopes with their heads. */
export const shardAttention: ShardRule = ({ op, ranks }) => {
  const [q, k, , , slots = null] = op.ins;
  const spans = headSpans(q!.type.shape.at(-2) as number, k!.type.shape.at(-2) as number, ranks);
  if (!spans || op.ins.length > 5) return []; // one with a cache is past this
  const queries = splitAt(-2, spans.queries);
  const keys = k!.type.shape.at(-2) === 1 ? WHOLE : splitAt(-2, spans.keys); // the only head is everybody's
  const alibi = op.attrs.alibi as { readonly slopes: readonly number[] } | undefined;
  const attrs = (rank: number): Attrs =>
    alibi ? { ...op.attrs, alibi: { ...alibi, slopes: alibi.slopes.slice(...spans.queries[rank]!) } } : op.attrs;
  return [{ ins: [queries, keys, keys, WHOLE, slots && WHOLE], outs: [queries], attrs }];
};

/** By heads; what is stored is common to all of them, so every rank has it. */
export const shardLatent: ShardRule = ({ op, ranks }) => {
  const spans = evenSpans(op.ins[0]!.type.shape.at(-2) as number, ranks);
  if (!spans || op.ins.length > 8) return [];
  const [heads, weights] = [splitAt(-2, spans), splitAt(-3, spans)];
  const rest = op.ins.slice(6).map((value) => value && WHOLE);
  return [{ ins: [heads, heads, WHOLE, WHOLE, weights, weights, ...rest], outs: [heads] }];
};

/** Each head turns by itself, and so does each token. */
export const shardRotary: ShardRule = ({ op, ins, wants }) => {
  const reach = op.ins[2] ?? null;
  const named = ins[0]?.kind === "split" ? ins[0] : wants[0];
  return named?.axis === -2 ? [{ ins: [named, WHOLE, reach && WHOLE], outs: [named] }] : [];
};
