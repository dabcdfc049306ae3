import { type Builder, dimAdd, type Value } from "@llm/core-ir";

/** Symbols of the interface, under the names that readers of such files know. */
export const BATCH = "batch_size";
export const SEQ = "sequence_length";
export const PAST = "past_sequence_length";

/** More than any device has room for. */
const MANY = 2 ** 20;

/** What a mask of columns says: earlier tokens first, then this call's, padding anywhere. */
export interface Columns {
  /** Where each column's token stands among those that exist: (batch, total) */
  readonly keyAt: Value;
  /** The same for this call's tokens: (batch, seq) */
  readonly queryAt: Value;
  /** How many tokens exist: (batch, 1) */
  readonly count: Value;
  /** Which columns each token sees: bool (batch, seq, total) */
  visible(window: number | undefined): Value;
}

/** Adds `attention_mask` as an input and reads it. */
export function readColumns(b: Builder, cache: boolean): Columns {
  for (const symbol of [BATCH, SEQ]) b.dim(symbol, { min: 1, max: MANY });
  if (cache) b.dim(PAST, { min: 0, max: MANY });
  const total = cache ? dimAdd(PAST, SEQ) : SEQ;
  const mask = b.cast(b.input("attention_mask", "i64", [BATCH, total]), "i32");
  const keyAt = b.sub(b.cumsum(mask, 1), b.constant(1, "i32"));
  const queryAt = cache ? b.slice(keyAt, 1, PAST, total) : keyAt;

  const exists = b.reshape(b.compare("gt", mask, b.constant(0, "i32")), [1, total], 1);
  const [keys, queries] = [b.reshape(keyAt, [1, total], 1), b.reshape(queryAt, [SEQ, 1], 1)];
  const earlier = b.binary("and", exists, b.compare("le", keys, queries));
  const within = new Map<number | undefined, Value>([[undefined, earlier]]);
  return {
    keyAt,
    queryAt,
    count: b.reduce("sum", mask, [1]),
    visible(window) {
      let visible = within.get(window);
      if (visible === undefined) {
        const from = b.sub(queries, b.constant(window!, "i32"));
        visible = b.binary("and", earlier, b.compare("gt", keys, from));
        within.set(window, visible);
      }
      return visible;
    },
  };
}
