import { type AlibiRules, type Builder, denseAttention, type Op, type Value } from "@llm/core-ir";
import type { Columns } from "./columns.ts";

/** Keys and values of all columns: (batch, groups, columns, dim). Latent attention has one vector for both. */
export interface Kept {
  readonly key: Value;
  readonly value: Value | undefined;
}

/** Brings in what earlier calls kept, given the shapes (groups, dim) of what this one adds; undefined where nothing is. */
export type Past = (key: Value, value: Value | undefined) => Kept | undefined;

/** Attention over the columns so far and this call's own, and what the next call is to bring in. */
export function attendOver(b: Builder, op: Op, columns: Columns, past: Past): { out: Value; kept: Kept } {
  const [q, k, v] = op.ins as readonly [Value, Value, Value];
  const key = b.transpose(k, [1, 0, 2]);
  const own = { key, value: v.id === k.id ? undefined : b.transpose(v, [1, 0, 2]) };
  const kept = after(b, past(own.key, own.value), own);
  return { out: attend(b, q, kept.key, kept.value ?? kept.key, op, columns), kept };
}

function after(b: Builder, earlier: Kept | undefined, own: Kept): Kept {
  if (earlier === undefined) return own;
  const key = b.concat([earlier.key, own.key], -2);
  return { key, value: own.value && b.concat([earlier.value!, own.value], -2) };
}

function attend(b: Builder, q: Value, keys: Value, values: Value, { attrs }: Op, columns: Columns): Value {
  const { scale, window, softcap, alibi } = attrs as unknown as AttentionRules;
  return denseAttention(b, {
    q,
    keys,
    values,
    visible: columns.visible(window),
    queryAt: columns.queryAt,
    keyAt: columns.keyAt,
    scale,
    ...(softcap === undefined ? {} : { softcap }),
    ...(alibi === undefined ? {} : { alibi }),
  });
}

interface AttentionRules {
  readonly scale: number;
  readonly window?: number;
  readonly softcap?: number;
  readonly alibi?: AlibiRules;
}
