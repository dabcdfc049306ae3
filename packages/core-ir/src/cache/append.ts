import type { Builder } from "../builder.ts";
import { denseAttention } from "../decoder/dense-attention.ts";
import { clearUnwritten, readRows, writeIndex, writeRows } from "../decoder/retained.ts";
import { type TokenRows, tokenRows } from "../decoder/token-rows.ts";
import type { Value } from "../graph.ts";
import type { Attention, Form, FormOptions } from "./forms.ts";
import { paddedRows } from "./padded.ts";
import { cacheDims, makeStates, setNext } from "./state.ts";

interface Shared {
  readonly rows: TokenRows;
  readonly target: Value; // (batch, seq)
  readonly keyAt: Value; // (batch, context)
  readonly stored: Value; // (batch, context)
  readonly visible: ReadonlyMap<number | undefined, Value>; // by window, (batch, seq, context)
}

/**
 * All rows write where the input `index` says, one place after another, so that short rows are padded on the left. What lies
 * where is retained: the position of every place, −1 where no token is. A row that goes back to a position forgets what it
 * held from there on.
 */
export function appendForm(options: FormOptions): Form {
  let shared: Shared | undefined;
  const indices = new Map<number, Value>(); // by heads
  const indexFor = (b: Builder, heads: number): Value => {
    const known = indices.get(heads) ?? writeIndex(b, shared!.rows, shared!.target, options.layout, heads);
    indices.set(heads, known);
    return known;
  };
  return {
    start(b, attentions) {
      shared = prepare(b, attentions);
      for (const { k } of attentions) indexFor(b, Number(k.type.shape.at(-2)));
    },
    attend(b, attention) {
      const { q, k, v, positions, attrs } = attention;
      const { rows, keyAt, stored, visible } = shared!;
      const { layout } = options;
      const held = makeStates(b, attention, cacheDims(b, attention), options);
      const index = indexFor(b, Number(k.type.shape.at(-2)));
      const keys = writeRows(b, held.keys, k, index, layout);
      const values = k === v ? keys : writeRows(b, held.values, v, index, layout);
      setNext(b, held, keys, values);
      const read = (cache: Value) => b.cast(readRows(b, cache, rows, layout), q.type.dtype);
      const { window, ...rules } = attrs;
      return denseAttention(b, {
        q,
        keys: read(keys),
        values: clearUnwritten(b, read(values), stored),
        visible: visible.get(window)!,
        queryAt: positions,
        keyAt,
        ...rules,
      });
    },
  };
}

function prepare(b: Builder, attentions: readonly Attention[]): Shared {
  const [first] = attentions as readonly [Attention];
  const { positions, batch, seq } = paddedRows(first, "append");
  const rows = tokenRows(b, positions, null);
  const index = b.input("index", "i32", []);
  const context = cacheDims(b, first)[1];
  const places = b.expand(b.reshape(b.add(index, b.iota(seq)), [1, seq]), [batch, seq]);
  const zero = b.constant(0, "i32");

  const type = { dtype: "i32", shape: [batch, context] } as const;
  const update = { kind: "replace" } as const;
  const before = b.state("cache.positions", type, { role: { kind: "mask", name: "positions" }, update });
  const keyAt = writePositions(b, forget(b, before, positions), places, rows);
  b.setNext(before, keyAt);
  const stored = b.compare("ge", keyAt, zero);
  const keys = b.reshape(keyAt, [1, context], 1);
  const queryAt = b.reshape(positions, [batch, seq, 1]);
  const seen = b.binary("and", b.compare("le", keys, queryAt), b.compare("ge", keys, zero));
  const windows = [...new Set(attentions.map(({ attrs }) => attrs.window))];
  const visible = new Map(
    windows.map((window) => {
      if (window === undefined) return [window, seen] as const;
      const from = b.sub(queryAt, b.constant(window, "i32"));
      return [window, b.binary("and", seen, b.compare("gt", keys, from))] as const;
    }),
  );
  return { rows, target: places, keyAt, stored, visible };
}

/** Positions from a row's first token on are of a future that it left. */
function forget(b: Builder, held: Value, positions: Value): Value {
  const zero = b.constant(0, "i32");
  const count = b.reduce("sum", b.cast(b.compare("ge", positions, zero), "i32"), [-1]);
  const next = b.add(b.reduce("max", positions, [-1]), b.constant(1, "i32"));
  const start = b.sub(next, count); // (batch, 1)
  const left = b.binary("and", b.compare("ge", held, start), b.compare("gt", count, zero));
  return b.where(left, b.constant(-1, "i32"), held);
}

/** Each row's positions at its places. */
function writePositions(b: Builder, held: Value, places: Value, { batch, seq, positions }: TokenRows): Value {
  const row = b.expand(b.reshape(b.iota(batch), [batch, 1, 1]), [batch, seq, 1]);
  return b.scatter(held, b.concat([row, b.reshape(places, [batch, seq, 1])]), positions);
}
