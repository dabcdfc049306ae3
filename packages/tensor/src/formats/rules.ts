import { leavesOf } from "../expr/leaves.ts";
import type { EncodeSpec, WeightExpr } from "../weight-expr.ts";

/** Which format the tensors of some names get. Data, so that it can be part of a file, an option and a cache key. */
export interface FormatRule {
  /** A tensor's name; `*` stands for any part of one. */
  readonly match: string;
  /** `null`: as they are. */
  readonly format: EncodeSpec | null;
}

/**
 * The format of the first rule that matches a tensor's name; nothing where none does, or the rule says to leave it.
 *
 * `[{ match: "lm_head.*", format: { format: "int8" } }, { match: "*.weight", format: { format: "int4" } }]` keeps the head higher.
 */
export function formatFor(rules: readonly FormatRule[], name: string): EncodeSpec | undefined {
  return rules.find(({ match }) => matches(match, name))?.format ?? undefined;
}

/** A weight rounded as the rules say for its first tensor. */
export function encodeBy(rules: readonly FormatRule[], of: WeightExpr): WeightExpr {
  const [first] = leavesOf(of);
  const format = first && formatFor(rules, first.name);
  return format ? { op: "encode", of, format } : of;
}

/** Piece by piece instead of by a regular expression, which a long name could keep busy. */
function matches(pattern: string, name: string): boolean {
  const [start = "", ...rest] = pattern.split("*");
  const end = rest.pop();
  if (end === undefined) return name === pattern;
  if (!name.startsWith(start)) return false;
  let at = start.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - end.length >= at && name.endsWith(end);
}
