import type { Tensor } from "@llm/tensor";
import type { Builder } from "./builder.ts";
import type { Attrs, Op, Type, Value } from "./graph.ts";
import type { Shard, ShardQuestion } from "./mesh/shard-rule.ts";
import type { Schema } from "./schema.ts";

/** One op: its checks, its meaning, and how to say it in smaller ops. A dialect is a table of these. */
export interface OpDef<A extends Attrs = Attrs> {
  /** One line for `llm passes` and the docs. */
  readonly doc: string;
  /** Names of operands, in order; a trailing "?" marks an optional one, a leading "..." any number. */
  readonly operands: readonly string[];
  /** Suffixes of the results' ids; absent: one result, without suffix. */
  readonly results?: readonly string[];
  readonly attrs: Schema<A>;
  /** Types of the results, or an error that says what is wrong. */
  infer(ins: readonly (Type | null)[], attrs: A): readonly Type[];
  /**
   * Plain float32 loops, obviously right: the oracle. Floats of any width come and go as f32 (the interpreter rounds
   * results to their dtype); dimensions in attributes are numbers. May reuse the buffers of a state operand it replaces.
   */
  eval?(ins: readonly (Tensor | null)[], attrs: A): readonly Tensor[];
  /** The same in smaller ops; tested equal to `eval`. Operands are `op.ins`, attributes checked. */
  lower?(op: Op<A>, b: Builder): readonly Value[];
  /** The ways to do it on several ranks; without, every rank does all of it. */
  shard?(question: ShardQuestion): readonly Shard[];
}

export interface Dialect {
  readonly name: string; // "decoder", "primitive", "ort", "top", …
  readonly ops: Readonly<Record<string, OpDef>>;
}

/** An entry of a dialect's table, its attribute type inferred from the schema. */
export function op<A extends Attrs>(def: OpDef<A>): OpDef<A> {
  return def;
}

/** A dialect from its table. Names of ops must not be those of another dialect that is used with it. */
export function dialect(name: string, ops: Readonly<Record<string, OpDef>>): Dialect {
  return { name, ops };
}
