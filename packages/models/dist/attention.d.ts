import type { Value } from "@llm/core-ir";
import type { AttentionOptions, Decoder } from "./decoder.ts";
import { type Windows } from "./layer-types.ts";
import type { Rope } from "./rope.ts";
import type { Shape } from "./shape.ts";
/** What an architecture's self-attention is made of: x (tokens, width) → (tokens, width), names under `prefix`. */
export type Part = (d: Decoder, x: Value, prefix: string, layer: number) => Value;
/** One op on queries or keys, with the projection it belongs to: a norm of it, say. */
export type OnHeads = (d: Decoder, x: Value, prefix: string, which: "q" | "k") => Value;
export interface SelfAttention {
    readonly shape: Pick<Shape, "width" | "heads" | "groups" | "dim">;
    readonly rope?: Rope | ((layer: number) => Rope | undefined);
    readonly pairs?: "half" | "interleaved";
    /** On the projections to q, k and v; on the way out. */
    readonly bias?: boolean;
    readonly outBias?: boolean;
    /** 1 / √dim unless said. */
    readonly scale?: number;
    readonly windows?: Windows;
    readonly softcap?: number;
    readonly alibi?: AttentionOptions["alibi"];
    /** Bounds on what the projections give. */
    readonly clip?: number;
    /** On all of q or k at once (…, heads · dim), or head by head (…, heads, dim); both before the rotation. */
    readonly flatNorm?: OnHeads;
    readonly headNorm?: OnHeads;
    readonly names?: {
        readonly q: string;
        readonly k: string;
        readonly v: string;
        readonly out: string;
    };
    /** One linear for all three, rows q | k | v. */
    readonly fused?: string;
}
/** Self-attention with separate or fused projections, as its options say. */
export declare function selfAttention(options: SelfAttention): Part;
/** An RMS norm of each head of q and k, by `q_norm` and `k_norm`. */
export declare function rmsHeads(dim: number, eps: number, options?: {
    readonly plusOne?: boolean;
}): OnHeads;
//# sourceMappingURL=attention.d.ts.map