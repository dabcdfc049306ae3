import type { Builder } from "../builder.ts";
import { dimProduct } from "../dim.ts";
import type { Op, Value } from "../graph.ts";
import type { AttentionAttrs } from "./attention.ts";
import { denseAttention, swapAxes } from "./dense-attention.ts";
import { clearUnwritten, placesOf, readRows, writeIndex, writeRows } from "./retained.ts";
import { reshapeTo, tokenRows } from "./token-rows.ts";

/** Attention in primitives: over a cache it is written to first, or over the call's own tokens. */
export function lowerAttention({ ins, attrs }: Op<AttentionAttrs>, b: Builder): readonly Value[] {
  const [q, k, v, positions, slots = null, keys = null, values = null] = ins as readonly Value[];
  const { window, layout = "tokens", ...rules } = attrs;
  const outShape = [...q!.type.shape.slice(0, -1), v!.type.shape.at(-1)!];
  if (!keys || !values) return [reshapeTo(b, overOwnTokens(b, [q!, k!, v!], positions!, slots, attrs), outShape)];

  const rows = tokenRows(b, positions!, slots);
  const size = keys.type.shape[layout === "heads" ? 2 : 1]!;
  const { keyAt, visible, stored, target } = placesOf(b, rows, size, window, false);
  const index = writeIndex(b, rows, target, layout, Number(k!.type.shape.at(-2)));
  const nextKeys = writeRows(b, keys, rows.rows(k!, 2), index, layout);
  const nextValues = keys === values ? nextKeys : writeRows(b, values, rows.rows(v!, 2), index, layout);
  const { dtype } = q!.type;
  const out = denseAttention(b, {
    q: rows.rows(q!, 2),
    keys: b.cast(readRows(b, nextKeys, rows, layout), dtype),
    values: clearUnwritten(b, b.cast(readRows(b, nextValues, rows, layout), dtype), stored),
    visible,
    queryAt: rows.positions,
    keyAt,
    ...rules,
  });
  return [reshapeTo(b, out, outShape), nextKeys, nextValues];
}

/** Without a cache: a token sees those of its call that have its slot, come no later and are within the window. */
function overOwnTokens(
  b: Builder,
  [q, k, v]: readonly [Value, Value, Value],
  positions: Value,
  slots: Value | null,
  { window, layout: _, ...rules }: AttentionAttrs,
): Value {
  // Tokens with slots of their own are one long row, in which only equal slots see one another.
  const flat = slots && { positions: flatten(b, positions), slots: flatten(b, spread(b, slots, positions)) };
  const rows = tokenRows(b, flat?.positions ?? positions, null);
  const queryAt = b.reshape(rows.positions, [rows.batch, rows.seq, 1]);
  const keyAt = b.reshape(rows.positions, [rows.batch, 1, rows.seq]);
  let visible = b.binary("and", b.compare("le", keyAt, queryAt), b.compare("ge", keyAt, b.constant(0, "i32")));
  if (window !== undefined) {
    const from = b.sub(queryAt, b.constant(window, "i32"));
    visible = b.binary("and", visible, b.compare("gt", keyAt, from));
  }
  if (flat) {
    const [across, down] = [b.reshape(flat.slots, [1, rows.seq]), b.reshape(flat.slots, [rows.seq, 1])];
    visible = b.binary("and", visible, b.compare("eq", across, down));
  }
  return denseAttention(b, {
    q: rows.rows(q, 2),
    keys: swapAxes(b, rows.rows(k, 2)),
    values: swapAxes(b, rows.rows(v, 2)),
    visible,
    queryAt: rows.positions,
    keyAt: rows.positions,
    ...rules,
  });
}

/** Slots given for each row, for each token. */
function spread(b: Builder, slots: Value, positions: Value): Value {
  const shape = positions.type.shape;
  return slots.type.shape.length === shape.length ? slots : b.expand(b.reshape(slots, [1], 0), shape);
}

function flatten(b: Builder, x: Value): Value {
  return reshapeTo(b, x, [dimProduct(x.type.shape)]);
}
