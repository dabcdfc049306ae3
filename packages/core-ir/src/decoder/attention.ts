import type { Tensor } from "@llm/tensor";
import type { Dim } from "../dim.ts";
import type { Type } from "../graph.ts";
import { shardAttention } from "../mesh/rules/heads.ts";
import { op } from "../op-def.ts";
import { choice, integer, number, numbers, optional, record, schema } from "../schema.ts";
import {
  check,
  leading,
  sameShape,
  trailing,
  typeText,
  wantDType,
  wantFloat,
  wantSameDType,
  wantShape,
} from "../shape.ts";
import { f32, ints } from "../values.ts";
import { attend, callCache, denseCache, headsOf, slotReader } from "./attend.ts";
import { lowerAttention } from "./attention-lower.ts";

const attrs = schema({
  scale: number,
  /** A query sees its own position and this many less one before it; absent: all. */
  window: optional(integer(1)),
  /** Scores become cap · tanh(score / cap). */
  softcap: optional(number),
  alibi: optional(
    record({
      slopes: numbers,
      /** relative: slope · (key − query) is added to the scaled score; key: slope · key is added before the scale. */
      anchor: choice("relative", "key"),
      /** slope · position is rounded to this before it is added. */
      round: optional(choice("bf16")),
    }),
  ),
  /** Order of a cache's axes: tokens is [slots, context, heads, dim], heads is [slots, heads, context, dim]. */
  layout: optional(choice("tokens", "heads")),
});

export type AttentionAttrs = ReturnType<typeof attrs.parse>;

/**
 * A token at position −1 doesn't exist: nothing is stored for it. Every other is stored for its slot at
 * its position, and a query sees what is stored up to its own. Without caches it sees the call's own tokens of its slot.
 * Slots are given for each token, or for each row (all but the last of the tokens' axes); without them row n is slot n. What
 * comes out for a token that doesn't exist is finite and means nothing.
 */
export const attention = op({
  doc: "Causal attention over what a slot holds.",
  operands: ["q", "k", "v", "positions", "slots?", "keys?", "values?"],
  results: ["", "keys", "values"],
  attrs,
  infer(ins, { alibi, layout }) {
    const [q, k, v, positions, slots, keys, values] = ins as readonly [Type, Type, Type, Type, Type?, Type?, Type?];
    wantFloat(q, "q");
    wantSameDType([q, k, v], ["q", "k", "v"]);
    const [heads, width] = trailing(q, 2, "q");
    const [groups, keyWidth] = trailing(k, 2, "k");
    const [valueGroups, valueWidth] = trailing(v, 2, "v");
    check(width === keyWidth, () => `q is ${typeText(q)}, k is ${typeText(k)}: head widths differ`);
    check(groups === valueGroups, () => `k is ${typeText(k)}, v is ${typeText(v)}: head counts differ`);
    check(
      typeof heads === "number" && typeof groups === "number" && heads % groups === 0,
      () => `${heads} query heads can't share ${groups} key heads`,
    );
    wantTokens(leading(q, 2), { k: leading(k, 2), v: leading(v, 2) }, positions, slots);
    if (alibi) check(alibi.slopes.length === heads, () => `alibi has ${alibi.slopes.length} slopes for ${heads} heads`);
    const out = { dtype: q.dtype, shape: [...leading(q, 1), valueWidth!] };
    check(!keys === !values, () => "keys and values come together");
    if (!keys || !values) return [out];
    const cache = (slots_: Dim, context: Dim, dim: Dim): Dim[] =>
      layout === "heads" ? [slots_, groups!, context, dim] : [slots_, context, groups!, dim];
    const context = keys.shape[layout === "heads" ? 2 : 1] ?? 0;
    wantShape(keys, cache(keys.shape[0] ?? 0, context, keyWidth!), "keys");
    wantShape(values, cache(keys.shape[0] ?? 0, context, valueWidth!), "values");
    return [out, keys, values];
  },
  eval(ins, attrs) {
    const [q, k, v, positions, slots, keys, values] = ins as readonly Tensor[];
    const at = ints(positions!);
    const slotOf = slotReader(positions!, slots);
    const cache = keys && values ? denseCache(keys, values, attrs.layout ?? "tokens") : callCache();
    for (let t = 0; t < at.length; t++) if (at[t]! >= 0) cache.store(slotOf(t), at[t]!, headsOf(k!, t), headsOf(v!, t));
    const out = f32([...q!.shape.slice(0, -1), v!.shape.at(-1)!]);
    for (let t = 0; t < at.length; t++) {
      if (at[t]! < 0) continue;
      const seen = cache.seen(slotOf(t), at[t]!, attrs.window ?? Number.POSITIVE_INFINITY);
      attend(headsOf(q!, t), at[t]!, seen, headsOf(out, t), attrs);
    }
    return keys && values ? [out, keys, values] : [out];
  },
  lower: (op, b) => lowerAttention(op, b),
  shard: shardAttention,
});

/** Shared by all ops over a cache: every operand has the tokens' leading axes. */
export function wantTokens(
  tokens: readonly Dim[],
  operands: Readonly<Record<string, readonly Dim[]>>,
  positions: Type,
  slots: Type | null | undefined,
): void {
  wantDType(positions, "positions", "i32");
  for (const [name, shape] of Object.entries({ ...operands, positions: positions.shape }))
    check(sameShape(shape, tokens), () => `${name}'s tokens are [${shape.join(", ")}], q's are [${tokens.join(", ")}]`);
  if (!slots) return;
  wantDType(slots, "slots", "i32");
  check(
    sameShape(slots.shape, tokens) || sameShape(slots.shape, tokens.slice(0, -1)),
    () =>
      `slots are ${typeText(slots)}; they are of tokens [${tokens.join(", ")}] or of rows [${tokens.slice(0, -1).join(", ")}]`,
  );
}
