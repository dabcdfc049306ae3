import type { Builder } from "../builder.ts";
import { denseAttention, swapAxes } from "../decoder/dense-attention.ts";
import { clearUnwritten } from "../decoder/retained.ts";
import { type Dim, dimAdd } from "../dim.ts";
import type { Value } from "../graph.ts";
import type { Attention, Form, FormOptions } from "./forms.ts";
import { paddedRows } from "./padded.ts";
import { makeStates, setNext, UNBOUNDED } from "./state.ts";

interface Shared {
  readonly visible: Value; // (batch, seq, past + seq)
  readonly keyAt: Value; // (batch, past + seq)
  /** (batch, past); absent where masks come in: whoever makes them keeps what was never written at 0. */
  readonly stored?: Value;
}

/**
 * The history comes in whole, place n holding position n, and only new keys and values go out: whoever runs the net writes them
 * behind it. A row sees of its history what is before its first token. Without a past, the first call of a prompt, a row sees
 * its own tokens, and keys and values are plain outputs.
 */
export function historyForm(options: FormOptions): Form {
  const shared = new Map<number | undefined, Shared>();
  const { layout, past: hasPast } = options;
  const axis = layout === "heads" ? 2 : 1;
  return {
    start(b, attentions) {
      for (const attention of attentions) {
        const { window } = attention.attrs;
        if (shared.has(window)) continue;
        const make = options.mask === "input" ? maskInput : masks;
        shared.set(window, make(b, attention, pastDim(b, hasPast)));
      }
    },
    attend(b, attention) {
      const { q, k, v, positions, attrs, layer } = attention;
      const { visible, keyAt, stored } = shared.get(attrs.window)!;
      const turn = (x: Value) => (layout === "heads" ? swapAxes(b, x) : x); // as the cache lies
      const byHead = (x: Value) => (layout === "heads" ? x : swapAxes(b, x));
      const news = { keys: turn(k), values: k === v ? turn(k) : turn(v) };
      const join = (held: Value, x: Value, clear: boolean) => {
        const old = b.cast(byHead(held), x.type.dtype);
        return b.concat([clear && stored ? clearUnwritten(b, old, stored) : old, byHead(x)], 2);
      };
      let [keys, values] = [byHead(news.keys), byHead(news.values)];
      if (hasPast) {
        const update = { kind: "append", axis } as const;
        const held = makeStates(b, attention, [positions.type.shape[0]!, pastDim(b, true)], options, update);
        [keys, values] = [join(held.keys, news.keys, false), join(held.values, news.values, true)];
        const stored_ = (x: Value) => b.cast(x, options.dtype ?? x.type.dtype);
        setNext(b, held, stored_(news.keys), stored_(news.values));
      } else {
        b.output(b.as(`/cache.${layer}.${k === v ? "latent" : "keys"}`).reshape(news.keys, news.keys.type.shape));
        if (k !== v) b.output(b.as(`/cache.${layer}.values`).reshape(news.values, news.values.type.shape));
      }
      const { window: _, ...rules } = attrs;
      return denseAttention(b, { q, keys, values, visible, queryAt: positions, keyAt, ...rules });
    },
  };
}

function pastDim(b: Builder, hasPast: boolean): Dim {
  return hasPast ? b.dim("past", { min: 0, max: UNBOUNDED }) : 0;
}

/** One mask for each window: 0 where a token is seen, a very negative number elsewhere. */
function maskInput(b: Builder, attention: Attention, past: Dim): Shared {
  const { positions, batch, seq } = paddedRows(attention, "history");
  const { window } = attention.attrs;
  const shape = [batch, seq, dimAdd(past, seq)];
  const visible = b.input(window === undefined ? "mask" : `mask.window_${window}`, "f32", shape);
  return { visible, keyAt: joinedPositions(b, positions, past) };
}

/** Positions of the history's places, then of the row's own tokens. */
function joinedPositions(b: Builder, positions: Value, past: Dim): Value {
  return past === 0 ? positions : b.concat([b.expand(b.iota(past), [positions.type.shape[0]!, past]), positions]);
}

function masks(b: Builder, attention: Attention, past: Dim): Shared {
  const { positions, batch, seq } = paddedRows(attention, "history");
  const zero = b.constant(0, "i32");
  const present = b.compare("ge", positions, zero);
  // A row's tokens follow one another, so its first is its last less how many come before that; a row without any starts at 0.
  const count = b.reduce("sum", b.cast(present, "i32"), [-1]);
  const start = b.sub(b.add(b.reduce("max", positions, [-1]), b.constant(1, "i32")), count); // (batch, 1)
  const index = b.iota(past);
  const stored = b.compare("lt", index, start); // (batch, past)
  const queryAt = b.reshape(positions, [batch, seq, 1]);
  const own = b.reshape(positions, [batch, 1, seq]);
  const seesOwn = b.binary("and", b.compare("le", own, queryAt), b.compare("ge", own, zero));
  const keyAt = joinedPositions(b, positions, past);
  const { window } = attention.attrs;
  const all = past === 0 ? seesOwn : b.concat([b.expand(b.reshape(stored, [1, past], 1), [batch, seq, past]), seesOwn]);
  if (window === undefined) return { visible: all, keyAt, stored };
  const from = b.sub(queryAt, b.constant(window, "i32"));
  const keys = b.reshape(keyAt, [1, keyAt.type.shape.at(-1)!], 1);
  return { visible: b.binary("and", all, b.compare("gt", keys, from)), keyAt, stored };
}
