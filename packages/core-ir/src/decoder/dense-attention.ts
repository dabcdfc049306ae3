import type { DType } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import { type Dim, dimMul } from "../dim.ts";
import type { Value } from "../graph.ts";
import type { AlibiRules } from "../rules.ts";

/** Attention of padded rows over keys that lie densely, in primitives. */
export interface DenseAttention {
  readonly q: Value; // (batch, seq, heads, dim)
  readonly keys: Value; // (batch, groups, keys, dim)
  readonly values: Value; // (batch, groups, keys, width)
  /** Broadcasts to (batch, seq, keys): bool, or numbers that are added to scores. */
  readonly visible: Value;
  readonly queryAt: Value; // positions (batch, seq)
  readonly keyAt: Value; // positions, broadcasts to (batch, keys)
  readonly scale: number;
  readonly softcap?: number;
  readonly alibi?: AlibiRules;
}

/**
 * What is masked gets the lowest finite number, not −∞: a row that sees nothing (a token that doesn't exist) then has a
 * finite, meaningless mean instead of NaN.
 */
const LOWEST: Partial<Record<DType, number>> = {
  f32: -3.4028234663852886e38,
  bf16: -3.3895313892515355e38,
  f16: -65504,
};

/** → (batch, seq, heads, width) */
export function denseAttention(b: Builder, { q, keys, values, visible, scale, ...rules }: DenseAttention): Value {
  const [batch, seq, heads, dim] = q.type.shape as [Dim, Dim, number, number];
  const [, groups, count, width] = values.type.shape as [Dim, number, Dim, number];
  const shared = heads / groups; // query heads that have one key head
  const rows = dimMul(shared, seq);
  const { softcap, alibi } = rules;

  const query = swapAxes(b, q); // (batch, heads, seq, dim)
  const folded = shared === 1 ? query : b.reshape(query, [batch, groups, rows, dim]);
  let scores = b.matmul(folded, keys, { transposeB: true });
  if (shared > 1) scores = b.reshape(scores, [batch, heads, seq, count]);
  if (alibi?.anchor === "key") scores = b.add(scores, alibiBias(b, alibi, keysLast(b, rules.keyAt), scores));
  scores = b.scale(scores, scale);
  if (softcap !== undefined) scores = b.scale(b.unary("tanh", b.scale(scores, 1 / softcap)), softcap);
  if (alibi?.anchor === "relative") scores = b.add(scores, relativeBias(b, alibi, rules, scores));
  const seen = overHeads(b, visible);
  const masked =
    visible.type.dtype === "bool"
      ? b.where(seen, scores, b.scalar(LOWEST[scores.type.dtype]!, scores))
      : b.add(scores, b.cast(seen, scores.type.dtype));
  let weights = b.softmax(masked);
  if (shared > 1) weights = b.reshape(weights, [batch, groups, rows, count]);
  let mixed = b.matmul(weights, values);
  if (shared > 1) mixed = b.reshape(mixed, [batch, heads, seq, width]);
  return swapAxes(b, mixed);
}

/** (batch, a, b, dim) ↔ (batch, b, a, dim); where one of them is 1, without moving anything. */
export function swapAxes(b: Builder, x: Value): Value {
  const [first, second, dim] = x.type.shape.slice(-3) as [Dim, Dim, Dim];
  if (first === 1 || second === 1) return b.reshape(x, [second, first, dim], 3);
  return b.transpose(x, [1, 0, 2]);
}

/** (…, seq, keys) → (…, 1, seq, keys) */
function overHeads(b: Builder, x: Value): Value {
  const [seq, keys] = x.type.shape.slice(-2) as [Dim, Dim];
  return b.reshape(x, [1, seq, keys], 2);
}

/** (…, keys) → (…, 1, 1, keys) */
function keysLast(b: Builder, x: Value): Value {
  return b.reshape(x, [1, 1, x.type.shape.at(-1)!], 1);
}

function relativeBias(
  b: Builder,
  alibi: AlibiRules,
  at: { readonly queryAt: Value; readonly keyAt: Value },
  beside: Value,
): Value {
  const [keys] = at.keyAt.type.shape.slice(-1) as [Dim];
  const distance = b.sub(b.reshape(at.keyAt, [1, keys], 1), b.reshape(at.queryAt, [1], 0)); // (batch, seq, keys)
  return alibiBias(b, alibi, overHeads(b, distance), beside);
}

/** slope · position for each head; `at` is (…, 1, seq or 1, keys). */
function alibiBias(b: Builder, { slopes, round }: AlibiRules, at: Value, beside: Value): Value {
  const data = Float32Array.from(slopes);
  const bySlope = b.constant({ dtype: "f32", shape: [slopes.length, 1, 1], data });
  const bias = b.mul(b.cast(at, "f32"), bySlope);
  return b.cast(round ? b.cast(b.cast(bias, round), "f32") : bias, beside.type.dtype);
}
