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
  readonly alibi?: { readonly slopes: readonly number[]; readonly anchor: "relative" | "key"; readonly round?: "bf16" };
}

export interface DecoderLimits {
  readonly name: string;
  /** Most tokens a sequence can have. */
  readonly context: number;
  /** Tensor names are published with any one of these in front; "" is a name as it is. */
  readonly prefixes?: readonly string[];
}

/** More tokens in one call, or more sequences at once, than any device has room for. */
const MANY = 2 ** 20;

/**
 * What all decoder architectures have in common: the canonical inputs, named weights, caches, blocks. An architecture's
 * `build` says the rest with it.
 */
export class Decoder {
  readonly b: Builder;
  readonly ids: Value; // (tokens)
  readonly positions: Value; // (tokens)
  readonly slots: Value; // (tokens)
  readonly #prefixes: readonly string[];
  #reach: Value | undefined;

  constructor({ name, context, prefixes = [""] }: DecoderLimits) {
    this.b = new Builder(name);
    this.#prefixes = prefixes;
    const tokens = this.b.dim("tokens", { min: 1, max: MANY });
    this.b.dim("context", { min: 1, max: context }); // what a cache's length will be bounded by
    this.ids = this.b.input("ids", "i32", [tokens]);
    this.positions = this.b.input("positions", "i32", [tokens]);
    this.slots = this.b.input("slots", "i32", [tokens]);
  }

  /** A published tensor, under whichever prefix the checkpoint has it. */
  tensor(name: string, shape: readonly number[]): WeightExpr {
    const named = this.#prefixes.map((prefix) => ({ op: "tensor", name: `${prefix}${name}`, shape }) as const);
    return named.length === 1 ? named[0] : { op: "either", of: named };
  }

  /** Rows of a table by id. */
  embed(ids: Value, name: string, rows: number, width: number, offset?: number): Value {
    return this.b.embed(this.b.weight(this.tensor(name, [rows, width])), ids, { offset });
  }

  /** `name.weight` and `name.bias` applied to the last axis. */
  linear(
    x: Value,
    name: string,
    from: number,
    to: number,
    { bias = false, transposed = false }: LinearLayout = {},
  ): Value {
    const stored = this.tensor(`${name}.weight`, transposed ? [from, to] : [to, from]);
    const weight: WeightExpr = transposed ? { op: "permute", of: stored, perm: [1, 0] } : stored;
    const b = bias ? this.b.weight(this.tensor(`${name}.bias`, [to])) : null;
    return this.b.linear(x, this.b.weight(weight), b);
  }

  layerNorm(
    x: Value,
    name: string,
    width: number,
    eps: number,
    { bias = true, plusOne = false }: NormLayout = {},
  ): Value {
    const w = this.b.weight(this.tensor(`${name}.weight`, [width]));
    const b = bias ? this.b.weight(this.tensor(`${name}.bias`, [width])) : null;
    return this.b.norm(x, { kind: "layer", eps, plusOne: plusOne || undefined }, w, b);
  }

  rmsNorm(
    x: Value,
    name: string,
    width: number,
    eps: number,
    { plusOne = false }: { readonly plusOne?: boolean } = {},
  ): Value {
    const w = this.b.weight(this.tensor(`${name}.weight`, [width]));
    return this.b.norm(x, { kind: "rms", eps, plusOne: plusOne || undefined }, w);
  }

  /** (…, heads · dim) → (…, heads, dim) */
  heads(x: Value, heads: number, dim: number): Value {
    return this.b.reshape(x, [heads, dim], 1);
  }

  /** (…, heads, dim) → (…, heads · dim) */
  joinHeads(x: Value, heads: number, dim: number): Value {
    return this.b.reshape(x, [heads * dim], 2);
  }

  rotary(x: Value, rope: Rope, pairs: "half" | "interleaved" = "half"): Value {
    return this.b.rotary(x, this.positions, { ...rope, pairs }, rope.beyond ? this.#wholeLength() : null);
  }

  /** Causal attention: q (…, H, D), k (…, G, D), v (…, G, E) → (…, H · E). How it is cached is a pass's business. */
  attention(q: Value, k: Value, v: Value, options: AttentionOptions): Value {
    const out = this.b.attention({ q, k, v, positions: this.positions, slots: this.slots }, options);
    const [heads, width] = out.type.shape.slice(-2) as [number, number];
    return this.joinHeads(out, heads, width);
  }

  embedding(make: () => Value): Value {
    return this.b.block("embedding", make);
  }

  /** The blocks in order; each gets its number and the stream so far. */
  blocks(count: number, x: Value, make: (index: number, x: Value) => Value): Value {
    let stream = x;
    for (let index = 0; index < count; index++) {
      const entering = stream;
      stream = this.b.block(`block_${index}`, () => make(index, entering));
    }
    return stream;
  }

  /** The last norm and the head, for the rows that are asked for; gives the finished graph. */
  head(x: Value, make: (rows: Value) => Value): Graph {
    const outputs = this.b.dim("outputs", { min: 0, max: MANY });
    const rows = this.b.input("rows", "i32", [outputs]);
    const logits = this.b.block("lm_head", () => make(this.b.pick(x, rows)));
    this.b.output(logits, "logits");
    return this.b.finish();
  }

  /** The head's linear: the embedding's `table` when they are tied, else a tensor outside the prefixed module. */
  logits(x: Value, width: number, vocab: number, { table, name = "lm_head", bias = false }: HeadLayout = {}): Value {
    const own = (suffix: string, shape: readonly number[]): WeightExpr => ({
      op: "tensor",
      name: `${name}.${suffix}`,
      shape,
    });
    const weight = table === undefined ? own("weight", [vocab, width]) : this.tensor(table, [vocab, width]);
    return this.b.linear(x, this.b.weight(weight), bias ? this.b.weight(own("bias", [vocab])) : null);
  }

  /** Length of the whole prompt that each token belongs to: only frequencies that depend on it ask. */
  #wholeLength(): Value {
    this.#reach ??= this.b.input("reach", "i32", ["tokens"]);
    return this.#reach;
  }
}
