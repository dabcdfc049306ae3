import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import type { Value } from "../graph.ts";
import { sameShape } from "../shape.ts";
import { swapAxes } from "./dense-attention.ts";
import type { TokenRows } from "./token-rows.ts";

/** Where every place of a cache stands for each row. */
export interface Places {
  readonly keyAt: Value; // positions, (keys) or (batch, keys)
  readonly visible: Value; // (batch, seq, keys)
  /** Whether a place holds something that was written: (batch, keys). */
  readonly stored: Value;
  /** Index of each token's place, −1 to drop it: (batch, seq). */
  readonly target: Value;
}

/**
 * Which places of a cache of `size` a row's tokens see, and where they go. A ring is shorter than a sequence: a position lies
 * at its remainder.
 */
export function placesOf(b: Builder, rows: TokenRows, size: Dim, window: number | undefined, ring: boolean): Places {
  const { positions, batch, seq } = rows;
  const last = b.reduce("max", positions, [-1]); // (batch, 1)
  const index = b.iota(size);
  const zero = b.constant(0, "i32");
  const count = ring ? b.constant(Number(size), "i32") : undefined;
  // In a ring, place j holds the latest position that is j by its remainder.
  const keyAt = count ? b.sub(last, b.binary("mod", b.sub(last, index), count)) : index;
  const queryAt = b.reshape(positions, [batch, seq, 1]);
  const keys = b.reshape(keyAt, [1, size], 1);
  let visible = b.compare("le", keys, queryAt);
  if (window !== undefined) {
    const from = b.sub(queryAt, b.constant(window, "i32"));
    visible = b.binary("and", visible, b.compare("gt", keys, from));
  }
  let stored = b.compare("le", keyAt, last);
  if (ring) {
    visible = b.binary("and", visible, b.compare("ge", keys, zero));
    stored = b.compare("ge", keyAt, zero);
  }
  const target = count
    ? b.where(b.compare("lt", positions, zero), b.constant(-1, "i32"), b.binary("mod", positions, count))
    : positions;
  return { keyAt, visible, stored, target };
}

/** Where each token of the rows lies in a cache, as indices of its first axes; one for all caches with as many heads. */
export function writeIndex(
  b: Builder,
  { batch, seq, slots }: TokenRows,
  target: Value,
  layout: "tokens" | "heads",
  heads: number,
): Value {
  const slot = slots ?? b.iota(batch);
  const axes = [b.reshape(slot, [batch, 1, 1, 1]), b.reshape(target, [batch, 1, seq, 1])];
  const byHead = layout === "heads";
  if (byHead) axes.splice(1, 0, heads === 1 ? b.constant(0, "i32") : b.reshape(b.iota(heads), [heads, 1, 1]));
  const shape = [batch, byHead ? heads : 1, seq, 1];
  const index = b.concat(axes.map((axis) => (sameShape(axis.type.shape, shape) ? axis : b.expand(axis, shape))));
  return byHead ? index : b.reshape(index, [batch, seq, 2]);
}

/** The cache with the rows' tokens written at `index`: `x` is (batch, seq, heads, dim). */
export function writeRows(b: Builder, cache: Value, x: Value, index: Value, layout: "tokens" | "heads"): Value {
  const lying = layout === "heads" ? swapAxes(b, x) : x;
  return b.scatter(cache, index, b.cast(lying, cache.type.dtype));
}

/** The rows' caches as (batch, heads, keys, dim). */
export function readRows(b: Builder, cache: Value, rows: TokenRows, layout: "tokens" | "heads"): Value {
  const own = rows.slots ? b.gather(cache, rows.slots) : cache;
  if (layout === "heads") return own;
  return swapAxes(b, own);
}

/** Values (batch, heads, keys, dim) with 0 where nothing was ever written: a weight of 0 doesn't help against NaN. */
export function clearUnwritten(b: Builder, values: Value, stored: Value): Value {
  const keys = stored.type.shape.at(-1)!;
  const lead = stored.type.shape.slice(0, -1);
  return b.where(b.reshape(stored, [...lead, 1, keys, 1]), values, b.scalar(0, values));
}
