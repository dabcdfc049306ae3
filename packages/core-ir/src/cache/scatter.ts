import type { Builder } from "../builder.ts";
import { denseAttention } from "../decoder/dense-attention.ts";
import { clearUnwritten, type Places, placesOf, readRows, writeIndex, writeRows } from "../decoder/retained.ts";
import { reshapeTo, type TokenRows, tokenRows } from "../decoder/token-rows.ts";
import type { Value } from "../graph.ts";
import type { Attention, Form, FormOptions } from "./forms.ts";
import { cacheDims, makeStates, ringSize, setNext } from "./state.ts";

/** A retained pair, written at positions, whose mask follows from them. What all layers of one window share is made once. */
export function scatterForm(options: FormOptions): Form {
  const shared = new Map<number | undefined, { rows: TokenRows; places: Places }>(); // by window
  const indices = new Map<string, Value>(); // by window and heads
  const ringOf = (window: number | undefined) =>
    options.ring && window !== undefined ? ringSize(window, options.ring) : undefined;
  const dims = (b: Builder, attention: Attention) => {
    const [slots, context] = cacheDims(b, attention);
    return [slots, ringOf(attention.attrs.window) ?? context] as const;
  };
  return {
    start(b, attentions) {
      for (const attention of attentions) {
        const { positions, slots, attrs, k } = attention;
        const ring = ringOf(attrs.window) !== undefined;
        let known = shared.get(attrs.window);
        if (!known) {
          const rows = tokenRows(b, positions, slots);
          known = { rows, places: placesOf(b, rows, dims(b, attention)[1], attrs.window, ring) };
          shared.set(attrs.window, known);
        }
        const heads = Number(k.type.shape.at(-2));
        const key = `${attrs.window} ${heads}`;
        if (!indices.has(key)) indices.set(key, writeIndex(b, known.rows, known.places.target, options.layout, heads));
      }
    },
    attend(b, attention) {
      const { q, k, v, attrs } = attention;
      const { layout } = options;
      const { rows, places } = shared.get(attrs.window)!;
      const held = makeStates(b, attention, dims(b, attention), options);
      const index = indices.get(`${attrs.window} ${k.type.shape.at(-2)}`)!;
      const write = (cache: Value, x: Value) => writeRows(b, cache, rows.rows(x, 2), index, layout);
      const keys = write(held.keys, k);
      const values = k === v ? keys : write(held.values, v);
      setNext(b, held, keys, values);
      const read = (cache: Value) => b.cast(readRows(b, cache, rows, layout), q.type.dtype);
      const { window: _, ...rules } = attrs;
      const out = denseAttention(b, {
        q: rows.rows(q, 2),
        keys: read(keys),
        values: clearUnwritten(b, read(values), places.stored),
        visible: places.visible,
        queryAt: rows.positions,
        keyAt: places.keyAt,
        ...rules,
      });
      return reshapeTo(b, out, [...q.type.shape.slice(0, -1), v.type.shape.at(-1)!]);
    },
  };
}
