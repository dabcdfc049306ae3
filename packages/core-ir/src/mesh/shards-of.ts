import { decoder } from "../decoder/index.ts";
import { primitive } from "../primitive/index.ts";
import type { Shard, ShardQuestion } from "./shard-rule.ts";

const tables = { ...decoder.ops, ...primitive.ops };

/** The ways to do an op, but for doing it whole on every rank. */
export function shardsOf(question: ShardQuestion): readonly Shard[] {
  const { op, ranks } = question;
  if (ranks === 1 || !Object.hasOwn(tables, op.kind)) return [];
  return tables[op.kind]!.shard?.(question) ?? [];
}
