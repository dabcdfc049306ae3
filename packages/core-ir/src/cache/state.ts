import type { Builder } from "../builder.ts";
import type { Dim } from "../dim.ts";
import type { State, Value } from "../graph.ts";
import type { Attention, FormOptions } from "./forms.ts";

/** Upper bound of sizes whose real one a target gives later. */
export const UNBOUNDED: number = 2 ** 31 - 1;

/** The cache of one attention: keys and values, or one tensor that is both. */
export interface Held {
  readonly keys: Value;
  readonly values: Value;
}

/** States for an attention's keys and values, of `slots` × `size` places each. */
export function makeStates(
  b: Builder,
  { k, v, layer, attrs: { window } }: Attention,
  [slots, size]: readonly [Dim, Dim],
  { layout, dtype }: Pick<FormOptions, "layout" | "dtype">,
  update: State["update"] = { kind: "replace" },
): Held {
  const make = (of: Value, kind: "key" | "value" | "latent", name: string): Value => {
    const [heads, width] = of.type.shape.slice(-2) as [Dim, Dim];
    const shape = layout === "heads" ? [slots, heads, size, width] : [slots, size, heads, width];
    const role = { kind, layer, ...(window === undefined ? {} : { window }) };
    return b.state(`cache.${layer}.${name}`, { dtype: dtype ?? of.type.dtype, shape }, { role, update });
  };
  if (k === v) {
    const both = make(k, "latent", "latent");
    return { keys: both, values: both };
  }
  return { keys: make(k, "key", "keys"), values: make(v, "value", "values") };
}

export function setNext(b: Builder, held: Held, keys: Value, values: Value): void {
  b.setNext(held.keys, keys);
  if (held.values !== held.keys) b.setNext(held.values, values);
}

/** How many slots there are and how long each is: for rows that are their own slots, as many as rows. */
export function cacheDims(b: Builder, { positions, slots }: Pick<Attention, "positions" | "slots">): [Dim, Dim] {
  const context = b.dim("context", { min: 1, max: UNBOUNDED });
  if (slots) return [b.dim("slots", { min: 1, max: UNBOUNDED }), context];
  return [positions.type.shape.length > 1 ? positions.type.shape[0]! : 1, context];
}

/** Places of a ring that serves `window` while chunks come and rows go back; see the schedules in cache-form.test.ts. */
export function ringSize(
  window: number,
  { chunk, rewind }: { readonly chunk: number; readonly rewind: number },
): number {
  return window - 1 + Math.max(chunk, rewind);
}
