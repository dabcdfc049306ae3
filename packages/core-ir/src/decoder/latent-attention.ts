import { sizeOf, type Tensor } from "@llm/tensor";
import type { Dim } from "../dim.ts";
import type { Type } from "../graph.ts";
import { shardLatent } from "../mesh/rules/heads.ts";
import { op } from "../op-def.ts";
import { number, schema } from "../schema.ts";
import { check, leading, trailing, typeText, wantFloat, wantSameDType, wantShape } from "../shape.ts";
import { f32, floats, ints } from "../values.ts";
import { attend, callCache, denseCache, type Heads, headsOf, slotReader } from "./attend.ts";
import { wantTokens } from "./attention.ts";
import { lowerLatent } from "./latent-lower.ts";

const NAMES = ["q_nope", "q_rope", "c", "k_rope", "w_kb", "w_vb"] as const;

/**
 * Multi-head latent attention: what is stored per token is one vector c and one rotated key part, common to all heads.
 * A head's key is [w_kb · c, k_rope] and its value w_vb · c. Evaluated absorbed: w_kb moves to the query, w_vb behind the
 * softmax, so that all heads share one key, [c, k_rope].
 */
export const latentAttention = op({
  doc: "Causal attention whose keys and values are compressed in one vector a token.",
  operands: [...NAMES, "positions", "slots?", "cache?"],
  results: ["", "cache"],
  attrs: schema({ scale: number }),
  infer(ins) {
    const [qNope, qRope, c, kRope, wKb, wVb] = ins as readonly [Type, Type, Type, Type, Type, Type];
    const [, , , , , , positions, slots, cache] = ins;
    wantFloat(qNope, "q_nope");
    wantSameDType(ins.slice(0, 6), NAMES);
    const [heads, nope] = trailing(qNope, 2, "q_nope") as [Dim, Dim];
    const [latent] = trailing(c, 1, "c") as [Dim];
    const [rope] = trailing(kRope, 1, "k_rope") as [Dim];
    check(typeof latent === "number" && typeof rope === "number", () => "widths of c and k_rope must be numbers");
    wantShape(wKb, [heads, nope, latent], "w_kb");
    check(
      wVb.shape.length === 3 && wVb.shape[0] === heads && wVb.shape[2] === latent,
      () => `w_vb is ${typeText(wVb)} and must be [${heads}, V, ${latent}]`,
    );
    wantShape(qRope, [...leading(qNope, 2), heads, rope], "q_rope");
    wantTokens(leading(qNope, 2), { c: leading(c, 1), k_rope: leading(kRope, 1) }, positions!, slots);
    const out = { dtype: qNope.dtype, shape: [...leading(qNope, 1), wVb.shape[1]!] };
    if (!cache) return [out];
    check(cache.shape.length === 3, () => `cache is ${typeText(cache)} and must be [slots, context, ${latent + rope}]`);
    wantShape(cache, [cache.shape[0]!, cache.shape[1]!, latent + rope], "cache");
    return [out, cache];
  },
  eval(ins, { scale }) {
    const [qNope, qRope, c, kRope, wKb, wVb, positions, slots, cache] = ins as readonly Tensor[];
    const [heads, nope, latent] = wKb!.shape as [number, number, number];
    const valueWidth = wVb!.shape[1]!;
    const at = ints(positions!);
    const slotOf = slotReader(positions!, slots);
    const keys = joinLast(c!, kRope!); // (…, 1, latent + rope): one key head
    const stored = cache && { ...cache, shape: [cache.shape[0]!, cache.shape[1]!, 1, cache.shape[2]!] };
    const held = stored ? denseCache(stored, stored, "tokens") : callCache();
    for (let t = 0; t < at.length; t++)
      if (at[t]! >= 0) held.store(slotOf(t), at[t]!, headsOf(keys, t), headsOf(keys, t));

    const absorbed = f32([heads, latent + kRope!.shape.at(-1)!]);
    const mixed = f32([heads, latent]);
    const out = f32([...qNope!.shape.slice(0, -1), valueWidth]);
    for (let t = 0; t < at.length; t++) {
      if (at[t]! < 0) continue;
      const [q, rope, query] = [headsOf(qNope!, t), headsOf(qRope!, t), headsOf(absorbed, 0)];
      for (let h = 0; h < heads; h++) {
        for (let l = 0; l < latent; l++) {
          let sum = 0;
          for (let n = 0; n < nope; n++)
            sum += q.data[q.at + h * nope + n]! * floats(wKb!)[(h * nope + n) * latent + l]!;
          query.data[h * query.width + l] = sum;
        }
        for (let r = 0; r < rope.width; r++)
          query.data[h * query.width + latent + r] = rope.data[rope.at + h * rope.width + r]!;
      }
      attend(query, at[t]!, held.seen(slotOf(t), at[t]!, Number.POSITIVE_INFINITY), headsOf(mixed, 0), { scale });
      for (let h = 0; h < heads; h++) expand(mixed, h, wVb!, headsOf(out, t));
    }
    return cache ? [out, cache] : [out];
  },
  lower: (op, b) => lowerLatent(op, b),
  shard: shardLatent,
});

/** out[h] = w_vb[h] · mixed[h] */
function expand(mixed: Tensor, h: number, wVb: Tensor, out: Heads): void {
  const [, valueWidth, latent] = wVb.shape as [number, number, number];
  for (let i = 0; i < valueWidth; i++) {
    let sum = 0;
    for (let l = 0; l < latent; l++)
      sum += floats(wVb)[(h * valueWidth + i) * latent + l]! * floats(mixed)[h * latent + l]!;
    out.data[out.at + h * out.step + i] = sum;
  }
}

/** (…, A) and (…, B) → (…, 1, A + B) */
function joinLast(a: Tensor, b: Tensor): Tensor {
  const [wide, narrow] = [a.shape.at(-1)!, b.shape.at(-1)!];
  const lead = a.shape.slice(0, -1);
  const out = f32([...lead, 1, wide + narrow]);
  for (let t = 0; t < sizeOf(lead); t++) {
    floats(out).set(floats(a).subarray(t * wide, (t + 1) * wide), t * (wide + narrow));
    floats(out).set(floats(b).subarray(t * narrow, (t + 1) * narrow), t * (wide + narrow) + wide);
  }
  return out;
}
