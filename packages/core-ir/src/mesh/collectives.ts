import type { Tensor } from "@llm/tensor";
import { dimAdd } from "../dim.ts";
import { GraphError } from "../error.ts";
import { type Dialect, dialect, op } from "../op-def.ts";
import { concat, slice } from "../primitive/layout.ts";
import { dims, integer, schema } from "../schema.ts";
import { axisOf, check, typeText, wantFloat, withShape } from "../shape.ts";
import { f32, floats } from "../values.ts";

const parts = {
  axis: integer(),
  /** How many entries of the axis each rank has. */
  sizes: dims,
};

/**
 * What ranks tell each other. A net has its own part only, and all ranks' nets have these ops in one order: the first of one
 * belongs to the first of every other.
 */
export const collectives: Dialect = dialect("collective", {
  all_reduce: op({
    doc: "The sum over all ranks, on every rank.",
    operands: ["x"],
    attrs: schema({ ranks: integer(1) }),
    infer([x]) {
      wantFloat(x!, "x");
      return [x!];
    },
  }),

  all_gather: op({
    doc: "All ranks' parts one after another along an axis, on every rank.",
    operands: ["x"],
    attrs: schema({ ...parts, rank: integer(0) }),
    infer([x], { axis, sizes, rank }) {
      const at = axisOf(axis, x!.shape.length);
      check(
        x!.shape[at] === sizes[rank],
        () => `x is ${typeText(x!)}; rank ${rank} has ${sizes[rank]} of axis ${axis}`,
      );
      return [withShape(x!, x!.shape.with(at, sizes.reduce(dimAdd)))];
    },
  }),

  reduce_scatter: op({
    doc: "Each rank's own part of the sum over all ranks.",
    operands: ["x"],
    attrs: schema({ ...parts, rank: integer(0) }),
    infer([x], { axis, sizes, rank }) {
      wantFloat(x!, "x");
      const at = axisOf(axis, x!.shape.length);
      const total = sizes.reduce(dimAdd);
      check(x!.shape[at] === total, () => `x is ${typeText(x!)}; the ranks' parts of axis ${axis} add up to ${total}`);
      return [withShape(x!, x!.shape.with(at, sizes[rank]!))];
    },
  }),
});

/** What is made of all ranks' parts, in their order: as moves between nets say it. */
export type Combination =
  | { readonly combine: "sum"; readonly axis?: number; readonly span?: readonly [number, number] }
  | { readonly combine: "concat"; readonly axis: number };

/** A collective's result from all ranks' operands. Terms are added in the ranks' order, so that all ranks have the same bits. */
export function combine(parts: readonly Tensor[], how: Combination): Tensor {
  const [first] = parts;
  if (!first) throw new GraphError("binding", "a collective without ranks");
  if (how.combine === "concat") return concat.eval!(parts, { axis: how.axis })[0]!;
  const sum = f32(first.shape, floats(first).slice());
  for (const part of parts.slice(1))
    floats(part).forEach((x, i) => {
      floats(sum)[i]! += x;
    });
  if (!how.span) return sum;
  return slice.eval!([sum], { axis: how.axis!, start: how.span[0], end: how.span[1] })[0]!;
}
