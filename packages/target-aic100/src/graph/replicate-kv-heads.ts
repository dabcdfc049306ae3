import { type Builder, graphPass, type Pass, rewriteGraph, schema, type Value } from "@llm/core-ir";

/**
 * How often each of `groups` heads is kept when `times` is wanted: never more often than there are query heads for, and so that
 * all copies have equally many of them.
 */
export function replicas(heads: number, groups: number, times: number): number {
  const shared = heads / groups;
  let most = Math.min(times, shared);
  while (shared % most !== 0) most--;
  return most;
}

/** For devices that share a layer by heads: with one key head each, none waits for another. */
export const replicateKvHeads: Pass = graphPass({
  name: "replicate-kv-heads",
  doc: "Keeps each key and value head several times, so that devices that share a layer by heads divide the cache evenly.",
  params: schema.schema({ times: schema.integer(1) }),
  run: (graph, { times }) =>
    rewriteGraph(graph, {
      op(op, b) {
        if (op.kind !== "attention") return undefined;
        const [q, k, v, ...rest] = op.ins as readonly [Value, Value, Value, ...(Value | null)[]];
        const [heads, groups] = [q, k].map(({ type }) => type.shape.at(-2) as number) as [number, number];
        const copies = replicas(heads, groups, times);
        if (copies === 1) return undefined;
        const keys = repeated(b, k, copies);
        return b.ops("attention", [q, keys, k === v ? keys : repeated(b, v, copies), ...rest], op.attrs);
      },
    }),
});

/** (…, groups, dim) → (…, groups · copies, dim), copies beside one another. */
function repeated(b: Builder, x: Value, copies: number): Value {
  const [groups, dim] = x.type.shape.slice(-2) as [number, number];
  const apart = b.reshape(x, [groups, 1, dim], 2);
  const beside = b.concat(
    Array.from({ length: copies }, () => apart),
    -2,
  );
  return b.reshape(beside, [groups * copies, dim], 3);
}
