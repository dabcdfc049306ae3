import { type AlibiRules, type Builder, type Dim, denseAttention, type Op, type Value } from "@llm/core-ir";
import type { Columns } from "./columns.ts";

/** Keys and values of all columns: (batch, groups, columns, dim). Latent attention's values are part of its keys. */
export interface Kept {
  readonly key: Value;
  readonly value: Value | undefined;
}

/** Brings in what earlier calls kept, given the shapes (groups, dim) of what this one adds; undefined where nothing is. */
export type Past = (key: Value, value: Value | undefined) => Kept | undefined;

/** Attention over the columns so far and this call's own, and what the next call is to bring in. */
export function attendOver(b: Builder, op: Op, columns: Columns, past: Past): { out: Value; kept: Kept } {
  if (op.kind === "latent_attention") return latent(b, op, columns, past);
  const [q, k, v] = op.ins as readonly [Value, Value, Value];
  const own = { key: b.transpose(k, [1, 0, 2]), value: b.transpose(v, [1, 0, 2]) };
  const kept = after(b, past(own.key, own.value), own);
  return { out: attend(b, q, kept.key, kept.value!, op, columns), kept };
}

/** As one key head for all queries, whose beginning is the value as well: w_kb moves to the query, w_vb behind. */
function latent(b: Builder, op: Op, columns: Columns, past: Past): { out: Value; kept: Kept } {
  const [qNope, qRope, c, kRope, wKb, wVb] = op.ins as readonly [Value, Value, Value, Value, Value, Value];
  const [width, rope] = [wKb.type.shape[2] as number, kRope.type.shape.at(-1) as number];
  const [batch, seq] = c.type.shape as [Dim, Dim];
  const own = b.reshape(b.concat([c, kRope]), [batch, 1, seq, width + rope]);
  const { key } = after(b, past(own, undefined), { key: own, value: undefined });
  const mixed = attend(b, b.concat([perHead(b, qNope, wKb), qRope]), key, key, op, columns);
  const [value] = b.split(mixed, [width, rope]) as [Value, Value];
  return { out: perHead(b, value, b.transpose(wVb, [1, 0])), kept: { key, value: undefined } };
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

/** x (…, heads, in) times w (heads, in, out), head by head → (…, heads, out) */
function perHead(b: Builder, x: Value, w: Value): Value {
  const [heads, from] = x.type.shape.slice(-2) as [Dim, Dim];
  const rows = b.matmul(b.reshape(x, [heads, 1, from], 2), w);
  return b.reshape(rows, [heads, w.type.shape[2]], 3);
}
