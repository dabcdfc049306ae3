import { type Builder, type Dim, denseAttention, type Value } from "@llm/core-ir";
import {
  type AttentionRules,
  BATCH,
  COMP_CONTEXT,
  CONTEXT,
  FULL_BATCH,
  type Generation,
  KEPT_LOGITS,
  RETAINED,
  SEQ,
  size,
} from "./form.ts";

export interface PositionsOptions {
  /** Rows name the sequence they are of: continuous batching. */
  readonly batchIndex: boolean;
  /** How many logits a row gives is the length of an input. */
  readonly keepLogits: boolean;
  /** How much of the cache is read is the length of an input. */
  readonly compContext: boolean;
  readonly ctxLen: number;
  /** Most tokens of a call. */
  readonly chunk: number;
}

/** What an index is that reads and writes nothing. The emulator has -1 in its place: the last, which is nobody's. */
export const NOWHERE = 2147483647;

/** The inputs, where there are any. */
interface Given {
  readonly wide: Value; // positions as they come in, i64 (batch, seq)
  readonly positions: Value; // i32 (batch, seq)
  readonly rows: Value | undefined; // the sequence each row is of, (batch, 1)
  readonly keep: Value | undefined; // as long as logits are wanted, (count, 1)
  readonly compressed: Value | undefined; // as long as what is read of the cache
}

interface Places {
  readonly target: Value; // where tokens are written, i64 (batch, seq)
  readonly ids: Value; // what is read, i64 (batch, 1, count)
  readonly count: Dim;
  readonly keyAt: Value; // positions of what is read, broadcasts to (batch, count)
  readonly unwritten: Value; // (batch, 1, count, 1)
  readonly visible: Value; // (batch, seq, count)
}

/**
 * Places of a windowed layer's cache: a ring that serves a window while chunks of this size come, and the last for padding.
 * Undefined where the whole context takes no more.
 */
export function ringPlaces(
  window: number | undefined,
  { ctxLen, chunk }: Pick<PositionsOptions, "ctxLen" | "chunk">,
): number | undefined {
  const places = window === undefined ? ctxLen : window + chunk;
  return places < ctxLen ? places : undefined;
}

/**
 * The position-ids generation: every token is written at its position, rows are padded on the right by tokens at -1, and the
 * mask follows from positions. What one window's layers share is made once.
 */
export function positionsGeneration(options: PositionsOptions): Generation {
  const { batchIndex, keepLogits, compContext } = options;
  let given: Given;
  const shared = new Map<number | undefined, Places>();
  return {
    positions(b) {
      const wide = b.input("position_ids", "i64", [size(b, BATCH), size(b, SEQ)]);
      const positions = b.cast(wide, "i32");
      const rows = batchIndex ? b.input("batch_index", "i64", [BATCH, 1]) : undefined;
      const keep = keepLogits ? b.input(KEPT_LOGITS, "i64", [size(b, KEPT_LOGITS), 1]) : undefined;
      const compressed = compContext
        ? b.input(COMP_CONTEXT, "i64", [size(b, COMP_CONTEXT, options.ctxLen)])
        : undefined;
      given = { wide, positions, rows, keep, compressed };
      return positions;
    },

    start(b, attentions) {
      for (const { rules } of attentions)
        if (!shared.has(rules.window)) shared.set(rules.window, placesFor(b, rules.window, given, options));
    },

    attend(b, attention) {
      const { q, k, v, layer, rules } = attention;
      const { target, ids, count, keyAt, unwritten, visible } = shared.get(rules.window)!;
      const { rows } = given;
      const places = ringPlaces(rules.window, options) ?? size(b, CONTEXT, options.ctxLen);
      const keep = (kind: "key" | "value", x: Value): Value => {
        const [heads, width] = x.type.shape.slice(-2) as [Dim, Dim];
        const shape = [batchIndex ? size(b, FULL_BATCH) : BATCH, heads, places, width];
        const id = `past_${kind}.${layer}`;
        const role = { kind, layer, ...(rules.window === undefined ? {} : { window: rules.window }) };
        const held = b.state(id, { dtype: x.type.dtype, shape }, { role, update: { kind: "replace" } });
        const news = b.transpose(x, [1, 0, 2]);
        const next = rows
          ? b.as(`/${id}${RETAINED}`).op("CtxScatterCB", [held, rows, target, news])
          : b.as(`/${id}${RETAINED}`).op("CtxScatter", [held, target, news]);
        b.setNext(held, next);
        return rows
          ? b.op("CtxGatherCB", [next, rows, ids], { length: count })
          : b.op("CtxGather", [next, ids], { length: count });
      };
      const keys = keep("key", k);
      const read = k === v ? keys : keep("value", v);
      const values = b.where(unwritten, b.scalar(0, read), read);
      const { window: _, ...others } = rules;
      return denseAttention(b, { q, keys, values, visible, queryAt: given.positions, keyAt, ...others });
    },

    pick(b, x) {
      const last = b.op("ArgMax", [given.positions]); // (batch, 1)
      if (!given.keep) return b.op("CtxGather3D", [x, last]);
      const kept = b.op("Indices", [given.keep]);
      const steps = b.sub(kept, b.reduce("max", kept, [-1])); // …, -1, 0
      const at = b.clip(b.add(b.cast(last, "i32"), b.reshape(steps, [1, KEPT_LOGITS])), { min: 0 });
      return b.op("CtxGather3D", [x, b.cast(at, "i64")]);
    },
  };
}

function placesFor(
  b: Builder,
  window: AttentionRules["window"],
  { wide, positions, compressed }: Given,
  options: PositionsOptions,
): Places {
  const zero = b.constant(0, "i32");
  const nowhere = b.constant(NOWHERE, "i32");
  const places = ringPlaces(window, options);
  const last = b.reduce("max", positions, [-1]); // (batch, 1)
  const count: Dim = places === undefined ? (compressed ? COMP_CONTEXT : size(b, CONTEXT, options.ctxLen)) : places - 1;
  const all = compressed && places === undefined ? b.op("Indices", [compressed]) : b.iota(count);
  const index = b.reshape(all, [1, count]);

  // In a ring, place j holds the latest position that is j by its remainder.
  const ring = places === undefined ? undefined : b.constant(places - 1, "i32");
  const keyAt = ring ? b.sub(last, b.binary("mod", b.sub(last, index), ring)) : index;
  const unwritten = ring ? b.compare("lt", keyAt, zero) : b.compare("gt", index, last); // (batch, count)
  const ids = b.where(unwritten, nowhere, index);

  let target = ring ? b.binary("mod", positions, ring) : positions;
  if (options.batchIndex) target = b.where(b.compare("lt", positions, zero), nowhere, target);
  else if (ring) target = b.where(b.compare("lt", positions, zero), b.constant(-1, "i32"), target);

  const queryAt = b.reshape(positions, [BATCH, SEQ, 1]);
  const keys = b.reshape(keyAt, [1, count], 1);
  let visible = b.compare("le", keys, queryAt);
  if (ring) visible = b.binary("and", visible, b.compare("ge", keys, zero));
  if (window !== undefined)
    visible = b.binary("and", visible, b.compare("gt", keys, b.sub(queryAt, b.constant(window, "i32"))));
  return {
    target: target === positions ? wide : b.cast(target, "i64"),
    ids: b.cast(b.reshape(ids, [BATCH, 1, count]), "i64"),
    count,
    keyAt,
    unwritten: b.reshape(unwritten, [BATCH, 1, count, 1]),
    visible,
  };
}
