import { type Builder, type Dim, denseAttention, type Value } from "@llm/core-ir";
import { BATCH, CONTEXT, type Generation, MASK, RETAINED, SEQ, size } from "./form.ts";

export interface IndexOptions {
  /** A single head's cache has no axis for heads, as the recipe for GPTBigCode wants it. */
  readonly flatSingleHead: boolean;
  readonly ctxLen: number;
}

interface Shared {
  readonly positions: Value; // (batch, seq)
  readonly columns: Value; // where this call's tokens go, (1, seq)
  readonly keyAt: Value; // (batch, context)
  readonly stored: Value; // (batch, context)
  readonly visible: ReadonlyMap<number | undefined, Value>; // by window, (batch, seq, context)
}

/**
 * The cache_index generation: all rows write to the same columns, one after another, so that short rows are padded on the left.
 * The mask says which columns hold tokens, and is kept on the card. Positions of columns are counted from it, because a
 * padded column has none.
 */
export function indexGeneration({ flatSingleHead, ctxLen }: IndexOptions): Generation {
  let given: { positions: Value; index: Value };
  let shared: Shared;
  return {
    positions(b) {
      const positions = b.cast(b.input("position_ids", "i64", [size(b, BATCH), size(b, SEQ)]), "i32");
      given = { positions, index: b.cast(b.input("cache_index", "i64", [1]), "i32") };
      return positions;
    },

    start(b, attentions) {
      const windows = [...new Set(attentions.map(({ rules }) => rules.window))];
      shared = prepare(b, given, windows, ctxLen);
    },

    attend(b, { q, k, v, layer, rules }) {
      const { columns, keyAt, stored, visible } = shared;
      const keep = (kind: "key" | "value", x: Value): Value => {
        const [heads, width] = x.type.shape.slice(-2) as [number, Dim];
        const flat = flatSingleHead && heads === 1;
        const id = `past_${kind}.${layer}`;
        const shape = flat ? [BATCH, CONTEXT, width] : [BATCH, heads, CONTEXT, width];
        const role = { kind, layer } as const;
        const held = b.state(id, { dtype: x.type.dtype, shape }, { role, update: { kind: "replace" } });
        const news = flat ? b.reshape(x, [BATCH, SEQ, width]) : b.transpose(x, [1, 0, 2]);
        const places = indices(b, columns, flat ? [] : [heads]);
        const next = b.as(`/${id}${RETAINED}`).scatter(held, places, news, "wrap");
        b.setNext(held, next);
        return flat ? b.reshape(next, [BATCH, 1, CONTEXT, width]) : next;
      };
      const keys = keep("key", k);
      const read = k === v ? keys : keep("value", v);
      const values = b.where(b.reshape(stored, [BATCH, 1, CONTEXT, 1]), read, b.scalar(0, read));
      const { window, ...others } = rules;
      return denseAttention(b, {
        q,
        keys,
        values,
        visible: visible.get(window)!,
        queryAt: shared.positions,
        keyAt,
        ...others,
      });
    },

    pick(b, x) {
      const width = x.type.shape.at(-1)!;
      return b.reshape(b.slice(x, -2, `${SEQ} - 1`, SEQ), [BATCH, 1, width]);
    },
  };
}

function prepare(
  b: Builder,
  { positions, index }: { readonly positions: Value; readonly index: Value },
  windows: readonly (number | undefined)[],
  ctxLen: number,
): Shared {
  const context = size(b, CONTEXT, ctxLen);
  const one = b.constant(1, "i32");
  const column = b.reshape(b.iota(context), [1, context]);
  const columns = b.reshape(b.add(b.iota(SEQ), index), [1, SEQ]);
  const newest = b.reduce("max", columns, [-1]); // (1, 1)

  const role = { kind: "mask", name: MASK } as const;
  const mask = b.state(MASK, { dtype: "bool", shape: [BATCH, context] }, { role, update: { kind: "replace" } });
  const isNewest = b.expand(b.compare("eq", column, newest), [BATCH, context]);
  const filled = b.as(`/${MASK}${RETAINED}`).binary("or", mask, isNewest);
  b.setNext(mask, filled);

  // A token sees the columns up to its own that hold one.
  const stored = b.binary("and", filled, b.compare("le", column, newest));
  const upTo = b.compare("le", b.reshape(column, [1, 1, context]), b.reshape(columns, [1, SEQ, 1]));
  const seen = b.binary("and", b.reshape(filled, [BATCH, 1, context]), upTo);
  const keyAt = b.sub(b.cumsum(b.cast(filled, "i32"), -1), one);
  const visible = new Map(
    windows.map((window) => {
      if (window === undefined) return [window, seen] as const;
      const from = b.sub(b.reshape(positions, [BATCH, SEQ, 1]), b.constant(window, "i32"));
      return [window, b.binary("and", seen, b.compare("gt", b.reshape(keyAt, [BATCH, 1, context]), from))] as const;
    }),
  );
  return { positions, columns, keyAt, stored, visible };
}

/** Where the call's tokens go in a cache with these axes between batch and columns. */
function indices(b: Builder, columns: Value, heads: readonly number[]): Value {
  const shape: Dim[] = [BATCH, ...heads, SEQ, 1];
  const ones = (at: number, own: Dim): Dim[] => shape.map((_, axis) => (axis === at ? own : 1));
  const axes = [b.reshape(b.iota(BATCH), ones(0, BATCH))];
  for (const count of heads) axes.push(b.reshape(b.iota(count), ones(1, count)));
  axes.push(b.reshape(columns, ones(shape.length - 2, SEQ)));
  return b.concat(axes.map((axis) => b.expand(axis, shape)));
}
