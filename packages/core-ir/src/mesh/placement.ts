import type { Dim } from "../dim.ts";
import type { Type } from "../graph.ts";

/** What one rank has of an axis: entries [start, end). */
export type Span = readonly [start: number, end: number];

/** A value of which each rank has a part along one axis. */
export interface Split {
  readonly kind: "split";
  /** Counted from the end, −1 is the last: leading axes come and go. */
  readonly axis: number;
  /** One for each rank, in order. They cover the axis; some may be the same, where ranks share a head of keys. */
  readonly spans: readonly Span[];
}

/** Where a value is: whole on every rank, a part on each, or a sum of which each rank has one term. */
export type Placement = { readonly kind: "whole" } | Split | { readonly kind: "partial" };

export const WHOLE: Placement = { kind: "whole" };
/** Of a leaf, or of a value that was whole: the first rank has it, and the others have nothing. */
export const PARTIAL: Placement = { kind: "partial" };

export function splitAt(axis: number, spans: readonly Span[]): Split {
  return { kind: "split", axis, spans };
}

/** `size` entries in nearly equal parts, each a multiple of `step` but for the last; undefined where a rank would have none. */
export function evenSpans(size: number, ranks: number, step = 1): readonly Span[] | undefined {
  const steps = Math.ceil(size / step);
  if (steps < ranks) return undefined;
  const edge = (rank: number) => Math.min(size, Math.floor((rank * steps) / ranks) * step);
  return Array.from({ length: ranks }, (_, rank) => [edge(rank), edge(rank + 1)] as const);
}

/** The spans of an axis whose entries are `by` of the former's each. */
export function scaleSpans(spans: readonly Span[], by: number): readonly Span[] {
  return spans.map(([start, end]) => [start * by, end * by] as const);
}

/** Whether each rank's part is its own. */
export function disjoint({ spans }: Split): boolean {
  return spans.every(([start], i) => i === 0 || start === spans[i - 1]![1]);
}

export function spanSize([start, end]: Span): number {
  return end - start;
}

export function sizesOf({ spans }: Split): number[] {
  return spans.map(spanSize);
}

/** Equal placements have equal texts: "whole", "sum", "−2: 0…4 | 4…8". */
export function placementText(placement: Placement): string {
  if (placement.kind === "whole") return "whole";
  if (placement.kind === "partial") return "sum";
  return `${placement.axis}: ${placement.spans.map(([start, end]) => `${start}…${end}`).join(" | ")}`;
}

export function samePlacement(a: Placement, b: Placement): boolean {
  if (a.kind !== "split" || b.kind !== "split") return a.kind === b.kind;
  return a.axis === b.axis && a.spans.every(([start, end], i) => start === b.spans[i]![0] && end === b.spans[i]![1]);
}

/** The shape of what `rank` has of a value. */
export function localShape({ shape }: Type, placement: Placement, rank: number): readonly Dim[] {
  return placement.kind === "split" ? shape.with(placement.axis, spanSize(placement.spans[rank]!)) : shape;
}

/** A split of an axis that `type` has, whose spans end where the axis does. */
export function fits({ shape }: Type, { axis, spans }: Split): boolean {
  return -axis <= shape.length && shape.at(axis) === spans.at(-1)![1];
}
