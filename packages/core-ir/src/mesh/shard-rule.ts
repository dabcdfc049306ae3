import type { Builder } from "../builder.ts";
import type { Attrs, Op, Type, Value } from "../graph.ts";
import type { Placement, Split } from "./placement.ts";

/** What a rule is asked: which ways there are to do an op on several ranks. */
export interface ShardQuestion<A extends Attrs = Attrs> {
  readonly op: Op<A>;
  readonly ranks: number;
  /** Where operands are; absent while wishes are passed backwards, when nobody knows yet. */
  readonly ins: readonly (Placement | undefined)[];
  /** How results are wanted by what uses them. */
  readonly wants: readonly (Split | undefined)[];
  /** Parts of inner widths are multiples of this, where a number format has blocks. */
  readonly step: number;
  /** Whether a value comes from linears or attention by ops that act on each entry: then it can be had split for nothing. */
  splittable(value: Value): boolean;
  /** The ops that use a value, and whether it is an output. */
  uses(value: Value): { readonly ops: readonly Op[]; readonly output: boolean };
}

/** One way to do an op: where operands must be, and where results are then. */
export interface Shard {
  readonly ins: readonly (Placement | null)[];
  readonly outs: readonly Placement[];
  /** Attributes of the op on a rank, where they differ. */
  attrs?(rank: number): Attrs;
  /**
   * The op on a rank, where it is another than itself. An operand that is a sum of which this rank has no term is null, as is
   * one left out.
   */
  build?(b: Builder, ins: readonly (Value | null)[], rank: number): readonly (Value | null)[];
  /** What collectives that `build` makes move: the type of what each rank puts in. */
  readonly sums?: readonly Type[];
}

/**
 * The ways to do an op on several ranks, besides doing it whole on each. An op of the table without a rule is always whole:
 * right, if not fast.
 */
export type ShardRule<A extends Attrs = Attrs> = (question: ShardQuestion<A>) => readonly Shard[];

/** The splits that a question names, of operands first, each once. */
export function splitsNamed({
  ins,
  wants,
}: Pick<ShardQuestion, "ins" | "wants">): { at: number | "out"; split: Split }[] {
  const named: { at: number | "out"; split: Split }[] = [];
  ins.forEach((placement, at) => {
    if (placement?.kind === "split") named.push({ at, split: placement });
  });
  const [want] = wants;
  if (want) named.push({ at: "out", split: want });
  return named;
}
