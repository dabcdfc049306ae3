import type { Value } from "@llm/core-ir";
import type { AttentionOptions, Decoder } from "./decoder.ts";
import { everywhere, type Windows } from "./layer-types.ts";
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
  readonly names?: { readonly q: string; readonly k: string; readonly v: string; readonly out: string };
  /** One linear for all three, rows q | k | v. */
  readonly fused?: string;
}

const NAMES = { q: "q_proj", k: "k_proj", v: "v_proj", out: "o_proj" };

/** Self-attention with separate or fused projections, as its options say. */
export function selfAttention(options: SelfAttention): Part {
  const {
    shape,
    pairs = "half",
    bias = false,
    outBias = bias,
    windows = everywhere,
    clip,
    flatNorm,
    headNorm,
  } = options;
  const { width, heads, groups, dim } = shape;
  const names = options.names ?? NAMES;
  const ropeOf = typeof options.rope === "function" ? options.rope : () => options.rope as Rope | undefined;

  const project = (d: Decoder, x: Value, prefix: string): readonly Value[] => {
    const sizes = [heads * dim, groups * dim, groups * dim];
    if (options.fused !== undefined) {
      const all = sizes.reduce((sum, size) => sum + size);
      return d.b.split(d.linear(x, `${prefix}.${options.fused}`, width, all, { bias }), sizes);
    }
    return [names.q, names.k, names.v].map((name, i) => d.linear(x, `${prefix}.${name}`, width, sizes[i], { bias }));
  };

  return (d, x, prefix, layer) => {
    const rope = ropeOf(layer);
    const clipped = project(d, x, prefix).map((part) =>
      clip === undefined ? part : d.b.clip(part, { min: -clip, max: clip }),
    );
    const turned = (part: Value, which: "q" | "k", count: number) => {
      const flat = flatNorm ? flatNorm(d, part, prefix, which) : part;
      const split = d.heads(flat, count, dim);
      const normed = headNorm ? headNorm(d, split, prefix, which) : split;
      return rope ? d.rotary(normed, rope, pairs) : normed;
    };
    const attended = d.attention(
      turned(clipped[0], "q", heads),
      turned(clipped[1], "k", groups),
      d.heads(clipped[2], groups, dim),
      {
        scale: options.scale ?? 1 / Math.sqrt(dim),
        window: windows(layer),
        softcap: options.softcap,
        alibi: options.alibi,
      },
    );
    return d.linear(attended, `${prefix}.${names.out}`, heads * dim, width, { bias: outBias });
  };
}

/** An RMS norm of each head of q and k, by `q_norm` and `k_norm`. */
export function rmsHeads(dim: number, eps: number, options: { readonly plusOne?: boolean } = {}): OnHeads {
  return (d, x, prefix, which) => d.rmsNorm(x, `${prefix}.${which}_norm`, dim, eps, options);
}
