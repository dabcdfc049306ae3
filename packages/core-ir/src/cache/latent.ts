import type { Builder } from "../builder.ts";
import { absorbLatent } from "../decoder/latent-lower.ts";
import type { Graph, Op, Value } from "../graph.ts";
import { rewriteGraph } from "../rewrite.ts";
import type { FormOptions } from "./forms.ts";
import { cacheDims } from "./state.ts";

/** Latent attention as attention whose one vector a token is key and value: what all forms but fused start from. */
export function absorbAll(graph: Graph): Graph {
  return rewriteGraph(graph, {
    op: (op, b) => (op.kind === "latent_attention" ? [absorbLatent(op as Op<{ scale: number }>, b)] : undefined),
  });
}

/** The op with its cache as a state. */
export function fuseLatent(op: Op, b: Builder, layer: number, { dtype }: Pick<FormOptions, "dtype">): readonly Value[] {
  const [, , c, kRope, , , positions, slots = null] = op.ins as readonly Value[];
  const width = Number(c!.type.shape.at(-1)) + Number(kRope!.type.shape.at(-1));
  const shape = [...cacheDims(b, { positions: positions!, slots }), width];
  const cache = b.state(
    `cache.${layer}.latent`,
    { dtype: dtype ?? c!.type.dtype, shape },
    { role: { kind: "latent", layer }, update: { kind: "replace" } },
  );
  const [out, next] = b.ops("latent_attention", [...op.ins.slice(0, 7), slots, cache], op.attrs);
  b.setNext(cache, next!);
  return [out!];
}
