import type { DType } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import type { AttentionAttrs } from "../decoder/attention.ts";
import type { Op, Value } from "../graph.ts";

/** An attention without a cache, as a form finds it. */
export interface Attention {
  readonly q: Value; // (…, heads, dim)
  readonly k: Value; // (…, groups, dim)
  readonly v: Value; // (…, groups, width); k itself where one vector is both (latent attention)
  readonly positions: Value; // (…)
  readonly slots: Value | null;
  readonly attrs: AttentionAttrs;
  /** Which of the graph's attentions it is. */
  readonly layer: number;
}

export interface FormOptions {
  readonly layout: "tokens" | "heads";
  /** What the cache holds; the activations' dtype when undefined. */
  readonly dtype: DType | undefined;
  /** Windowed layers keep only as many places as the window, the longest chunk and the furthest way back need. */
  readonly ring: { readonly chunk: number; readonly rewind: number } | undefined;
  /** Of history: whether there is one; a prompt's first call has none. */
  readonly past: boolean;
  /** Of history: masks follow from positions, or come in as numbers to add to scores. */
  readonly mask: "derived" | "input";
}

/** How a cache is kept. One of these treats a whole graph. */
export interface Form {
  /** Makes what all attentions share, before the first op. */
  start?(b: Builder, attentions: readonly Attention[]): void;
  /** What stands for an attention's result. */
  attend(b: Builder, attention: Attention): Value;
}

/** An op's operands by name. */
export function attentionOf(op: Op, layer: number, map: (value: Value) => Value = (value) => value): Attention {
  const [q, k, v, positions, slots = null] = op.ins.map((value) => value && map(value)) as Value[];
  return { q: q!, k: k!, v: v!, positions: positions!, slots: slots ?? null, attrs: op.attrs as AttentionAttrs, layer };
}
