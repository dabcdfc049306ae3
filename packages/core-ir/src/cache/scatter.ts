import type { Builder } from "../builder.ts";
import { denseAttention } from "../decoder/dense-attention.ts";
import { clearUnwritten, type Places, placesOf, readRows, writeRows } from "../decoder/retained.ts";
import { reshapeTo, type TokenRows, tokenRows } from "../decoder/token-rows.ts";
import type { Attention, Form, FormOptions } from "./forms.ts";
import { cacheDims, makeStates, ringSize, setNext } from "./state.ts";

/** A retained pair, written at positions, whose mask follows from them. What all layers of one window share is made once. */
export function scatterForm(options: FormOptions): Form {
  const shared = new Map<number | undefined, { rows: TokenRows; places: Places }>();
  const ringOf = (window: number | undefined) =>
    options.ring && window !== undefined ? ringSize(window, options.ring) : undefined;
  const dims = (b: Builder, attention: Attention) => {
    const [slots, context] = cacheDims(b, attention);
    return [slots, ringOf(attention.attrs.window) ?? context] as const;
  };
  return {
    start(b, attentions) {
      for (const attention of attentions) {
        const { positions, slots, attrs } = attention;
        if (shared.has(attrs.window)) continue;
        const rows = tokenRows(b, positions, slots);
        const ring = ringOf(attrs.window) !== undefined;
        shared.set(attrs.window, { rows, places: placesOf(b, rows, dims(b, attention)[1], attrs.window, ring) });
      }
    },
    attend(b, attention) {
      const { q, k, v, attrs } = attention;
      const { layout } = options;
      const { rows, places } = shared.get(attrs.window)!;
      const held = makeStates(b, attention, dims(b, attention), options);
      const write = (cache: typeof k, x: typeof k) => writeRows(b, cache, rows.rows(x, 2), rows, places.target, layout);
      const keys = write(held.keys, k);
      const values = k === v ? keys : write(held.values, v);
      setNext(b, held, keys, values);
      const read = (cache: typeof k) => b.cast(readRows(b, cache, rows, layout), q.type.dtype);
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
