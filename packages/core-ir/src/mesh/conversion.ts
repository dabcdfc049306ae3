import { dimValue, type Sizes } from "../dim.ts";
import type { Type, Value } from "../graph.ts";
import { disjoint, type Placement, samePlacement, WHOLE } from "./placement.ts";

/** How a value gets from one placement to another. Cuts and terms cost nothing: each rank looks at what it has. */
export type Via = "cut" | "first" | "all_reduce" | "all_gather" | "reduce_scatter";

export interface Conversion {
  readonly value: Value;
  readonly from: Placement;
  readonly to: Placement;
  readonly via: Via;
}

/** The way from what there is of a value to what is wanted of it; undefined where there is none. */
export function conversionsTo(
  value: Value,
  have: readonly Placement[],
  to: Placement,
): readonly Conversion[] | undefined {
  const whole = have.find(({ kind }) => kind === "whole");
  // A sum that was made is one rank's term from then on: what it was made of need not be kept.
  if (!(whole && to.kind === "partial") && have.some((placement) => samePlacement(placement, to))) return [];
  if (whole) return [{ value, from: whole, to, via: to.kind === "split" ? "cut" : "first" }];
  const from = have[0]!;
  if (to.kind === "partial") return undefined; // parts are no terms
  if (from.kind === "partial") {
    if (to.kind === "whole") return [{ value, from, to, via: "all_reduce" }];
    if (disjoint(to)) return [{ value, from, to, via: "reduce_scatter" }];
    return [
      { value, from, to: WHOLE, via: "all_reduce" },
      { value, from: WHOLE, to, via: "cut" },
    ];
  }
  if (from.kind !== "split" || !disjoint(from)) return undefined;
  const gathered: Conversion = { value, from, to: WHOLE, via: "all_gather" };
  return to.kind === "whole" ? [gathered] : [gathered, { value, from: WHOLE, to, via: "cut" }];
}

/** How many elements of a type there are for these sizes. */
export function elementsIn({ shape }: Type, sizes: Sizes): number {
  return shape.reduce<number>((count, dim) => count * dimValue(dim, sizes), 1);
}

/** Elements that a rank must be told by the others, of a value of `elements`, on average over the ranks. */
export function movedElements(via: Via, elements: number, ranks: number): number {
  const others = (ranks - 1) / ranks;
  switch (via) {
    case "cut":
    case "first":
      return 0;
    case "all_gather":
    case "reduce_scatter":
      return elements * others;
    case "all_reduce":
      return 2 * elements * others; // as good as a scatter of sums, then a gather
  }
}
