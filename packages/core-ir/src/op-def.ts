import type { Tensor } from "@llm/tensor";
import type { Builder } from "./builder.ts";
import type { Attrs, Op, Type, Value } from "./graph.ts";

/** One op: its checks, its meaning, and how to say it in smaller ops. A dialect is a table of these. */
export interface OpDef<A extends Attrs = Attrs> {
  /** One line for `llm passes` and the docs. */
  readonly doc: string;
  /** Names of operands, in order; a trailing "?" marks an optional one, a leading "..." any number. */
  readonly operands: readonly string[];
  readonly attrs: Schema<A>;
  /** Types of the results, or an error that names what is wrong. */
  infer(ins: readonly (Type | null)[], attrs: A): readonly Type[];
  /** Plain float32 loops, obviously right: the oracle. May reuse the buffers of a state operand it replaces. */
  eval?(ins: readonly (Tensor | null)[], attrs: A): readonly Tensor[];
  /** The same in smaller ops; tested equal to `eval`. */
  lower?(op: Op, b: Builder): readonly Value[];
}

/** Checks attributes that came from text or JSON; throws a TypeError naming the attribute. */
export interface Schema<A> {
  parse(attrs: Attrs): A;
}

export interface Dialect {
  readonly name: string; // "decoder", "primitive", "ort", "top", …
  readonly ops: Readonly<Record<string, OpDef<never> | OpDef>>;
}
