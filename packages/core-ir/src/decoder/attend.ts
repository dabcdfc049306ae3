import type { Tensor } from "@llm/tensor";
import { roundTo } from "../rounding.ts";
import { floats, ints } from "../values.ts";

/** The heads of one token: head h starts at `at + h · step` and is `width` long. */
export interface Heads {
  readonly data: Float32Array;
  readonly count: number;
  readonly at: number;
  readonly step: number;
  readonly width: number;
}

/** One stored token that a query sees. */
export interface Stored {
  readonly position: number;
  readonly key: Heads;
  readonly value: Heads;
}

export interface Cache {
  store(slot: number, position: number, key: Heads, value: Heads): void;
  seen(slot: number, position: number, window: number): readonly Stored[];
}

/** The heads of token `t` of a tensor (…, heads, dim). */
export function headsOf(tensor: Tensor, t: number): Heads {
  const [count, width] = tensor.shape.slice(-2) as [number, number];
  return { data: floats(tensor), count, at: t * count * width, step: width, width };
}

/** Slot of a token: as given for it or for its row, or the row's number. */
export function slotReader(positions: Tensor, slots: Tensor | null | undefined): (token: number) => number {
  if (slots && slots.shape.length === positions.shape.length) return (token) => ints(slots)[token]!;
  const width = positions.shape.at(-1)!;
  return (token) => (slots ? ints(slots)[Math.floor(token / width)]! : Math.floor(token / width));
}

/** A place for every position of every slot, written in place. */
export function denseCache(keys: Tensor, values: Tensor, layout: "tokens" | "heads"): Cache {
  const place = (cache: Tensor, slot: number, position: number): Heads => {
    const [slots, a, b, width] = cache.shape as [number, number, number, number];
    const [context, heads] = layout === "heads" ? [b, a] : [a, b];
    if (slot < 0 || slot >= slots) throw new RangeError(`slot ${slot} is not one of ${slots}`);
    if (position >= context) throw new RangeError(`position ${position} is past a cache of ${context}`);
    const data = floats(cache);
    return layout === "heads"
      ? { data, count: heads, at: (slot * heads * context + position) * width, step: context * width, width }
      : { data, count: heads, at: (slot * context + position) * heads * width, step: width, width };
  };
  return {
    store(slot, position, key, value) {
      copyHeads(key, place(keys, slot, position));
      copyHeads(value, place(values, slot, position));
    },
    seen(slot, position, window) {
      const first = Math.max(0, position - window + 1);
      return Array.from({ length: position - first + 1 }, (_, i) => ({
        position: first + i,
        key: place(keys, slot, first + i),
        value: place(values, slot, first + i),
      }));
    },
  };
}

/** Nothing but what the call itself brings. */
export function callCache(): Cache {
  const stored: (Stored & { readonly slot: number })[] = [];
  return {
    store(slot, position, key, value) {
      stored.push({ slot, position, key, value });
    },
    seen: (slot, position, window) =>
      stored.filter((s) => s.slot === slot && s.position <= position && s.position > position - window),
  };
}

export interface ScoreRules {
  readonly scale: number;
  readonly softcap?: number;
  readonly alibi?: { readonly slopes: readonly number[]; readonly anchor: "relative" | "key"; readonly round?: "bf16" };
}

/** Softmax over the scores of what is seen, then its values' mean. Key heads are shared by runs of query heads. */
export function attend(q: Heads, position: number, seen: readonly Stored[], out: Heads, rules: ScoreRules): void {
  for (let h = 0; h < q.count; h++) {
    const scores = seen.map((s) => {
      const g = Math.floor((h * s.key.count) / q.count);
      return score(dot(q, h, s.key, g), rules, h, s.position, position);
    });
    const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const parts = scores.map((s) => Math.exp(s - most));
    const total = parts.reduce((a, b) => a + b, 0);
    for (let i = 0; i < out.width; i++) {
      let sum = 0;
      seen.forEach(({ value }, n) => {
        const g = Math.floor((h * value.count) / q.count);
        sum += parts[n]! * value.data[value.at + g * value.step + i]!;
      });
      out.data[out.at + h * out.step + i] = sum / total;
    }
  }
}

function score(product: number, rules: ScoreRules, head: number, key: number, query: number): number {
  const { scale, softcap, alibi } = rules;
  const slope = alibi?.slopes[head] ?? 0;
  if (alibi?.anchor === "key") return (product + rounded(slope * key, alibi.round)) * scale;
  const scaled = product * scale;
  const capped = softcap ? softcap * Math.tanh(scaled / softcap) : scaled;
  return capped + rounded(slope * (key - query), alibi?.round);
}

function rounded(x: number, format: "bf16" | undefined): number {
  return format ? roundTo(format, Float32Array.of(x))[0]! : x;
}

function dot(a: Heads, i: number, b: Heads, j: number): number {
  let sum = 0;
  for (let n = 0; n < a.width; n++) sum += a.data[a.at + i * a.step + n]! * b.data[b.at + j * b.step + n]!;
  return sum;
}

function copyHeads(from: Heads, to: Heads): void {
  for (let h = 0; h < from.count; h++)
    to.data.set(from.data.subarray(from.at + h * from.step, from.at + h * from.step + from.width), to.at + h * to.step);
}
