import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import type { Value } from "../graph.ts";
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

/** The cache with the rows' tokens written: `x` is (batch, seq, heads, dim). */
export function writeRows(
  b: Builder,
  cache: Value,
  x: Value,
  rows: TokenRows,
  target: Value,
  layout: "tokens" | "heads",
): Value {
  const { batch, seq } = rows;
  const slot = rows.slots ?? b.iota(batch);
  if (layout === "tokens") {
    const axes = [b.expand(b.reshape(slot, [batch, 1, 1]), [batch, seq, 1]), b.reshape(target, [batch, seq, 1])];
    return b.scatter(cache, b.concat(axes), b.cast(x, cache.type.dtype));
  }
  const heads = x.type.shape[2]!;
  const shape = [batch, heads, seq, 1];
  const ids = b.concat([
    b.expand(b.reshape(slot, [batch, 1, 1, 1]), shape),
    b.expand(b.reshape(b.iota(heads), [heads, 1, 1]), shape),
    b.expand(b.reshape(target, [batch, 1, seq, 1]), shape),
  ]);
  const byHead =
    heads === 1 || seq === 1 ? b.reshape(x, [batch, heads, seq, x.type.shape[3]!]) : b.transpose(x, [1, 0, 2]);
  return b.scatter(cache, ids, b.cast(byHead, cache.type.dtype));
}

/** The rows' caches as (batch, heads, keys, dim). */
export function readRows(b: Builder, cache: Value, rows: TokenRows, layout: "tokens" | "heads"): Value {
  const own = rows.slots ? b.gather(cache, rows.slots) : cache;
  if (layout === "heads") return own;
  const [batch, keys, heads, dim] = own.type.shape as [Dim, Dim, Dim, Dim];
  return heads === 1 ? b.reshape(own, [batch, 1, keys, dim]) : b.transpose(own, [1, 0, 2]);
}

/** Values (batch, heads, keys, dim) with 0 where nothing was ever written: a weight of 0 doesn't help against NaN. */
export function clearUnwritten(b: Builder, values: Value, stored: Value): Value {
  const keys = stored.type.shape.at(-1)!;
  const lead = stored.type.shape.slice(0, -1);
  return b.where(b.reshape(stored, [...lead, 1, keys, 1]), values, b.scalar(0, values));
}
