import type { DType, Tensor, WeightExpr } from "@llm/tensor";
import type { Dim } from "./dim.ts";

export interface Type {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** A value is made once: by an op, or as an input, a state, a weight or a constant. */
export interface Value {
  readonly id: string; // unique in its graph, stable across runs, readable: "block0.attn.q"
  readonly type: Type;
}

export interface Op<A extends Attrs = Attrs> {
  readonly kind: string; // an op of one of the graph's dialects
  readonly ins: readonly (Value | null)[]; // null: an optional operand left out
  readonly outs: readonly Value[];
  readonly attrs: A;
}

/** Attributes are JSON, so that a graph can be printed, parsed, hashed and sent to a worker. */
export type Attr = number | string | boolean | null | readonly Attr[] | { readonly [key: string]: Attr | undefined };
export type Attrs = Readonly<Record<string, Attr | undefined>>;

export interface Weight {
  readonly value: Value;
  readonly expr: WeightExpr;
}

export interface Constant {
  readonly value: Value;
  readonly data: Tensor;
}

/** What stays on the device between steps: `next` replaces `value`, or is appended to it along `axis`. */
export interface State {
  readonly value: Value;
  readonly next: Value;
  readonly update: { readonly kind: "replace" } | { readonly kind: "append"; readonly axis: number };
  /** What it is for: planners and sessions ask, passes match on it. */
  readonly role: StateRole;
}

export type StateRole =
  | { readonly kind: "key" | "value" | "latent"; readonly layer: number; readonly window?: number }
  | { readonly kind: "mask" | "other"; readonly name: string };

/** Where to cut, verify and stage: ops [from, to) of the list. */
export interface Block {
  readonly name: string; // "embedding", "block_0", …, "lm_head"
  readonly from: number;
  readonly to: number;
}

export interface SymbolRange {
  readonly min: number;
  readonly max: number;
}

export interface Graph {
  readonly name: string;
  readonly dialects: readonly string[]; // whose ops are legal: "lowered" is a checked property
  readonly dims: Readonly<Record<string, SymbolRange>>; // every symbol in use, and those that passes may come to use
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly weights: readonly Weight[];
  readonly constants: readonly Constant[];
  readonly states: readonly State[];
  readonly ops: readonly Op[]; // in order of execution
  readonly blocks: readonly Block[];
}

/** A net is a graph with a job; a program is nets and the moves between them. */
export interface Net {
  readonly id: string; // "decoder", or "embedding", "block_0", …
  readonly graph: Graph;
  /** Which sizes its symbols are bound to, once per compiled shape; absent: dynamic. */
  readonly shapes?: readonly Readonly<Record<string, number>>[];
  /** Which of the devices that share each layer it is for, and which stage of the blocks. */
  readonly rank?: number;
  readonly stage?: number;
}

/**
 * Output `from` becomes input `to` of another net (or of the next step of the same). Where several moves go to one input,
 * `combine` says what is made of them, in the order of the moves: their sum, of which the input is the entries `span` of an
 * axis if it is there, or one after another along `axis`.
 */
export interface Move {
  readonly from: { readonly net: string; readonly output: string };
  readonly to: { readonly net: string; readonly input: string };
  readonly combine?: "sum" | "concat";
  readonly axis?: number;
  readonly span?: readonly [start: number, end: number];
}

export interface Program {
  readonly nets: readonly Net[];
  readonly moves: readonly Move[];
}
