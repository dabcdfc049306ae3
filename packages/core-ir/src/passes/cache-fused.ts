import type { DType } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import { type Dim, dimSymbols } from "../dim.ts";
import type { Graph, Op, Type, Value } from "../graph.ts";
import { type Rewrite, rewriteGraph } from "../rewrite.ts";

export interface FusedOptions {
  readonly layout: "tokens" | "heads";
  readonly dtype: DType | undefined;
}

/** Largest sizes of symbols whose real bounds a target gives later. */
const UNBOUNDED = 2 ** 31 - 1;

/** One op on a state, updated in place: keys and values (or the latent vector) of every slot at every position. */
export function fusedForm(graph: Graph, options: FusedOptions): Graph {
  let layer = 0;
  const rewrite: Rewrite = {
    op(op, b) {
      if (op.kind === "attention") return withKeysAndValues(op, b, layer++, options);
      if (op.kind === "latent_attention") return withLatent(op, b, layer++, options);
      return undefined;
    },
  };
  return rewriteGraph(graph, rewrite);
}

function withKeysAndValues(op: Op, b: Builder, layer: number, { layout, dtype }: FusedOptions): readonly Value[] {
  const [q, k, v, positions, slots = null] = op.ins as readonly Value[];
  const held = (of: Value): Type => {
    const [heads, width] = of.type.shape.slice(-2) as [Dim, Dim];
    const [s, c] = cacheDims(b, slots, positions!);
    return {
      dtype: dtype ?? of.type.dtype,
      shape: layout === "heads" ? [s, heads, c, width] : [s, c, heads, width],
    };
  };
  const window = op.attrs.window as number | undefined;
  const role = (kind: "key" | "value") => ({ kind, layer, ...(window === undefined ? {} : { window }) });
  const update = { kind: "replace" } as const;
  const keys = b.state(`cache.${layer}.keys`, held(k!), { role: role("key"), update });
  const values = b.state(`cache.${layer}.values`, held(v!), { role: role("value"), update });
  const attrs = layout === "heads" ? { ...op.attrs, layout } : op.attrs;
  const [out, nextKeys, nextValues] = b.ops("attention", [q!, k!, v!, positions!, slots, keys, values], attrs);
  b.setNext(keys, nextKeys!);
  b.setNext(values, nextValues!);
  return [out!];
}

function withLatent(op: Op, b: Builder, layer: number, { dtype }: FusedOptions): readonly Value[] {
  const [qNope, qRope, c, kRope, wKb, wVb, positions, slots = null] = op.ins as readonly Value[];
  const width = Number(c!.type.shape.at(-1)) + Number(kRope!.type.shape.at(-1));
  const type = { dtype: dtype ?? c!.type.dtype, shape: [...cacheDims(b, slots, positions!), width] };
  const cache = b.state(`cache.${layer}.latent`, type, {
    role: { kind: "latent", layer },
    update: { kind: "replace" },
  });
  const ins = [qNope!, qRope!, c!, kRope!, wKb!, wVb!, positions!, slots, cache];
  const [out, next] = b.ops("latent_attention", ins, op.attrs);
  b.setNext(cache, next!);
  return [out!];
}

/** [slots, context]; where each row is its own slot, there are as many slots as rows. */
function cacheDims(b: Builder, slots: Value | null, positions: Value): [Dim, Dim] {
  const context = b.dim("context", { min: 1, max: UNBOUNDED });
  if (slots) return [b.dim("slots", { min: 1, max: UNBOUNDED }), context];
  const [rows] = positions.type.shape as [Dim];
  if (dimSymbols(rows).length === 0 || positions.type.shape.length > 1) return [rows, context];
  return [1, context];
}
