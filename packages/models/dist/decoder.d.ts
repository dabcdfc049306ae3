import { Builder, type Graph, type Value } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";
import type { Rope } from "./rope.ts";
/** How one published checkpoint lays out a linear's weight. */
export interface LinearLayout {
    readonly bias?: boolean;
    /** Stored [in, out], as GPT-2's Conv1D does. */
    readonly transposed?: boolean;
}
/** How a norm's parameters are stored. */
export interface NormLayout {
    readonly bias?: boolean;
    /** The weight less 1. */
    readonly plusOne?: boolean;
}
/** Where the head's weight is. */
export interface HeadLayout {
    /** The embedding's tensor, when it is the head's too. */
    readonly table?: string;
    readonly name?: string;
    readonly bias?: boolean;
}
export interface AttentionOptions {
    readonly scale: number;
    readonly window?: number;
    readonly softcap?: number;
    readonly alibi?: {
        readonly slopes: readonly number[];
        readonly anchor: "relative" | "key";
        readonly round?: "bf16";
    };
}
export interface DecoderLimits {
    readonly name: string;
    /** Most tokens a sequence can have. */
    readonly context: number;
    /** Tensor names are published with any one of these in front; "" is a name as it is. */
    readonly prefixes?: readonly string[];
}
/**
 * What all decoder architectures have in common: the canonical inputs, named weights, caches, blocks. An architecture's
 * `build` says the rest with it.
 */
export declare class Decoder {
    #private;
    readonly b: Builder;
    readonly ids: Value;
    readonly positions: Value;
    readonly slots: Value;
    constructor({ name, context, prefixes }: DecoderLimits);
    /** A published tensor, under whichever prefix the checkpoint has it. */
    tensor(name: string, shape: readonly number[]): WeightExpr;
    /** Rows of a table by id. */
    embed(ids: Value, name: string, rows: number, width: number, offset?: number): Value;
    /** `name.weight` and `name.bias` applied to the last axis. */
    linear(x: Value, name: string, from: number, to: number, { bias, transposed }?: LinearLayout): Value;
    layerNorm(x: Value, name: string, width: number, eps: number, { bias, plusOne }?: NormLayout): Value;
    rmsNorm(x: Value, name: string, width: number, eps: number, { plusOne }?: {
        readonly plusOne?: boolean;
    }): Value;
    /** (…, heads · dim) → (…, heads, dim) */
    heads(x: Value, heads: number, dim: number): Value;
    /** (…, heads, dim) → (…, heads · dim) */
    joinHeads(x: Value, heads: number, dim: number): Value;
    rotary(x: Value, rope: Rope, pairs?: "half" | "interleaved"): Value;
    /** Causal attention: q (…, H, D), k (…, G, D), v (…, G, E) → (…, H · E). How it is cached is a pass's business. */
    attention(q: Value, k: Value, v: Value, options: AttentionOptions): Value;
    embedding(make: () => Value): Value;
    /** The blocks in order; each gets its number and the stream so far. */
    blocks(count: number, x: Value, make: (index: number, x: Value) => Value): Value;
    /** The last norm and the head, for the rows that are asked for; gives the finished graph. */
    head(x: Value, make: (rows: Value) => Value): Graph;
    /** The head's linear: the embedding's `table` when they are tied, else a tensor outside the prefixed module. */
    logits(x: Value, width: number, vocab: number, { table, name, bias }?: HeadLayout): Value;
}
//# sourceMappingURL=decoder.d.ts.map