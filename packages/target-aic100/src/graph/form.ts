import type { AlibiRules, Builder, Graph, Op, State, Value } from "@llm/core-ir";

/** An attention without a cache, as a form finds it. */
export interface Attention {
  readonly q: Value; // (batch, seq, heads, dim)
  readonly k: Value; // (batch, seq, groups, dim)
  readonly v: Value; // (batch, seq, groups, width); k itself where one vector is both (latent attention)
  readonly rules: AttentionRules;
  readonly layer: number;
}

export interface AttentionRules {
  readonly scale: number;
  readonly window?: number;
  readonly softcap?: number;
  readonly alibi?: AlibiRules;
}

/** The symbols of every graph for the card. */
export const BATCH = "batch_size";
export const FULL_BATCH = "full_batch_size";
export const SEQ = "seq_len";
export const CONTEXT = "ctx_len";
export const COMP_CONTEXT = "comp_ctx_lengths";
export const KEPT_LOGITS = "num_logits_to_keep";

/** What is kept comes out under its own name with this behind it: the first, or the second where blocks are functions. */
export const RETAINED = "_RetainedState";
export const INTERNAL_RETAINED = "_InternalRetainedState";

/** Which columns hold tokens, in the generation by index: kept on the card. */
export const MASK = "attention_mask";

/** Largest size that a symbol may stand for here; specialisations say the real ones. */
const MANY = 2 ** 31 - 1;

/** A graph's caches: all that it keeps but masks and flags. */
export function cachesOf({ states }: Graph): readonly State[] {
  return states.filter(({ role }) => role.kind !== "mask" && role.kind !== "other");
}

/** A symbol of the graph. */
export function size(b: Builder, symbol: string, max = MANY): string {
  b.dim(symbol, { min: 1, max });
  return symbol;
}

/** Which generation a graph for the card is of. */
export function generationOfGraph({ inputs }: Graph): "positions" | "index" {
  return inputs.some(({ id }) => id === "cache_index") ? "index" : "positions";
}

/** The tokens that a graph for the card was made for; nothing where only windows are kept, and any number is fine. */
export function contextOfGraph({ dims }: Graph): number | undefined {
  return (dims[CONTEXT] ?? dims[COMP_CONTEXT])?.max;
}

/** The graph as its file has it, which leaves to specialisations how many tokens it is for. */
export function withAnyContext(graph: Graph): Graph {
  const open = [CONTEXT, COMP_CONTEXT].filter((symbol) => symbol in graph.dims);
  return {
    ...graph,
    dims: { ...graph.dims, ...Object.fromEntries(open.map((symbol) => [symbol, { min: 1, max: MANY }])) },
  };
}

/** One generation of how the card is spoken to, for one graph. */
export interface Generation {
  /** Tokens' positions (batch, seq), i32; makes the inputs that go with them. */
  positions(b: Builder): Value;
  /** Makes what all attentions share, before the first op. */
  start(b: Builder, attentions: readonly Attention[]): void;
  attend(b: Builder, attention: Attention): Value;
  /** Of x (batch, seq, width), the tokens whose logits are wanted: (batch, count, width). */
  pick(b: Builder, x: Value): Value;
}

export function attentionOf(
  { ins, attrs }: Op,
  layer: number,
  map: (value: Value) => Value = (value) => value,
): Attention {
  const [q, k, v] = ins.slice(0, 3).map((value) => map(value!)) as [Value, Value, Value];
  return { q, k, v, rules: attrs as unknown as AttentionRules, layer };
}
