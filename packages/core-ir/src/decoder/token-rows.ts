import type { Builder } from "../builder.ts";
import { type Dim, dimProduct } from "../dim.ts";
import type { Value } from "../graph.ts";

/**
 * The tokens of an attention op as rows (batch, seq) whose tokens share a slot, however they came: padded rows stay as they
 * are; packed tokens become rows of one token each, or one row where all are of one slot.
 */
export interface TokenRows {
  readonly batch: Dim;
  readonly seq: Dim;
  readonly positions: Value; // (batch, seq)
  /** The slot of each row (batch); null where row n is slot n. */
  readonly slots: Value | null;
  /** (…, a, b) → (batch, seq, a, b) */
  rows(x: Value, trailing: number): Value;
}

export function tokenRows(b: Builder, positions: Value, slots: Value | null): TokenRows {
  const lead = positions.type.shape;
  const perToken = slots !== null && slots.type.shape.length === lead.length;
  const [batch, seq] = perToken ? [dimProduct(lead), 1] : lead.length === 1 ? [1, lead[0]!] : (lead as [Dim, Dim]);
  const rows = (x: Value, trailing: number): Value => {
    const kept = x.type.shape.slice(x.type.shape.length - trailing);
    return reshapeTo(b, x, [batch, seq, ...kept]);
  };
  return {
    batch,
    seq,
    positions: rows(positions, 0),
    slots: slots && reshapeTo(b, slots, [batch]),
    rows,
  };
}

/** A reshape, unless the shape is that already. */
export function reshapeTo(b: Builder, x: Value, shape: readonly Dim[]): Value {
  const same = x.type.shape.length === shape.length && shape.every((dim, i) => dim === x.type.shape[i]);
  return same ? x : b.reshape(x, shape);
}
