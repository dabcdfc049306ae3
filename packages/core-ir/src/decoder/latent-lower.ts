import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import type { Op, Value } from "../graph.ts";
import { lowerAttention } from "./attention-lower.ts";

/**
 * Latent attention as plain attention with one key head. Absorbed: w_kb moves to the query and w_vb behind the softmax, so
 * that the cache stays one vector [c, k_rope] a token, whose beginning is the value as well.
 */
export function lowerLatent(op: Op<{ readonly scale: number }>, b: Builder): readonly Value[] {
  const [qNope, qRope, c, kRope, wKb, wVb, positions, slots = null, cache = null] = op.ins as readonly Value[];
  const latent = Number(wKb!.type.shape.at(-1));
  const rope = Number(kRope!.type.shape.at(-1));
  const query = b.concat([perHead(b, qNope!, wKb!), qRope!]); // (…, heads, latent + rope)
  const key = b.reshape(b.concat([c!, kRope!]), [1, latent + rope], 1);
  const over = (...held: Value[]) =>
    lowerAttention(
      { kind: "attention", ins: [query, key, key, positions!, slots, ...held], outs: [], attrs: op.attrs },
      b,
    );
  if (!cache) return [expand(b, over()[0]!, latent, wVb!)];
  const [slotCount, context] = cache.type.shape as [Dim, Dim];
  const held = b.reshape(cache, [slotCount, context, 1, latent + rope]);
  const [mixed, next] = over(held, held);
  return [expand(b, mixed!, latent, wVb!), b.reshape(next!, [slotCount, context, latent + rope])];
}

/** The values' part of what came out, through w_vb. */
function expand(b: Builder, mixed: Value, latent: number, wVb: Value): Value {
  const rest = Number(mixed.type.shape.at(-1)) - latent;
  return perHead(b, b.split(mixed, [latent, rest])[0]!, b.transpose(wVb, [1, 0]));
}

/** x (…, heads, in) times w (heads, in, out) head by head → (…, heads, out) */
function perHead(b: Builder, x: Value, w: Value): Value {
  const [heads, from] = x.type.shape.slice(-2) as [Dim, Dim];
  const rows = b.reshape(x, [heads, 1, from], 2);
  return b.reshape(b.matmul(rows, w), [heads, w.type.shape.at(-1)!], 3);
}
