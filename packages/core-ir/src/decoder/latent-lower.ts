import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import type { Op, Value } from "../graph.ts";

/**
 * Latent attention as plain attention with one key head. Absorbed: w_kb moves to the query and w_vb behind the softmax, so
 * that one vector [c, k_rope] a token is the key, and its beginning the value.
 */
export function absorbLatent(op: Op<{ readonly scale: number }>, b: Builder): Value {
  const { query, key, positions, slots, scale, wVb } = absorbed(op, b);
  return expandValues(b, b.attention({ q: query, k: key, v: key, positions, slots }, { scale }), wVb);
}

/** The same over a cache (slots, context, latent + rope), which is written to first. */
export function lowerLatent(op: Op<{ readonly scale: number }>, b: Builder): readonly Value[] {
  const cache = op.ins[8];
  if (!cache) return [absorbLatent(op, b)];
  const { query, key, positions, slots, scale, wVb } = absorbed(op, b);
  const [slotCount, context, width] = cache.type.shape as [Dim, Dim, Dim];
  const held = b.reshape(cache, [slotCount, context, 1, width]);
  const [mixed, next] = b.ops("attention", [query, key, key, positions, slots, held, held], { scale });
  return [expandValues(b, mixed!, wVb), b.reshape(next!, [slotCount, context, width])];
}

function absorbed({ ins, attrs }: Op<{ readonly scale: number }>, b: Builder) {
  const [qNope, qRope, c, kRope, wKb, wVb, positions, slots = null] = ins as readonly Value[];
  const query = b.concat([perHead(b, qNope!, wKb!), qRope!]); // (…, heads, latent + rope)
  const joined = b.concat([c!, kRope!]);
  const key = b.reshape(joined, [1, joined.type.shape.at(-1)!], 1);
  return { query, key, positions: positions!, slots, scale: attrs.scale, wVb: wVb! };
}

/** The values' part of what came out, through w_vb. */
function expandValues(b: Builder, mixed: Value, wVb: Value): Value {
  const latent = Number(wVb.type.shape.at(-1));
  const rest = Number(mixed.type.shape.at(-1)) - latent;
  return perHead(b, b.split(mixed, [latent, rest])[0]!, b.transpose(wVb, [1, 0]));
}

/** x (…, heads, in) times w (heads, in, out) head by head → (…, heads, out) */
function perHead(b: Builder, x: Value, w: Value): Value {
  const [heads, from] = x.type.shape.slice(-2) as [Dim, Dim];
  const rows = b.reshape(x, [heads, 1, from], 2);
  return b.reshape(b.matmul(rows, w), [heads, w.type.shape.at(-1)!], 3);
}
