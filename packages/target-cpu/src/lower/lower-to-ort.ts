import { type Graph, graphPass, type Pass, rewriteGraph, schema } from "@llm/core-ir";
import { ort } from "../ort/dialect.ts";
import { lowerActivation, lowerGlu } from "./activation.ts";
import { alibiBias, attentionLowering, cacheState, lengths, paddedWidth } from "./attention.ts";
import { LowerContext, type Lowering, type PackingParams } from "./context.ts";
import { lowerExperts } from "./experts.ts";
import { type RowInputs, rowInputs } from "./inputs.ts";
import { lowerLinear } from "./linear.ts";
import { lowerNorm } from "./norm.ts";
import { lowerResidual } from "./residual.ts";
import { lowerRotary, rotaryTables } from "./rotary.ts";

/** Ops that have a fused form; all others are written as ONNX has them, or lowered to what it has. */
const LOWERINGS: Readonly<Record<string, Lowering>> = {
  linear: lowerLinear,
  norm: lowerNorm,
  rotary: lowerRotary,
  activation: lowerActivation,
  glu: lowerGlu,
  experts: lowerExperts,
  binary: lowerResidual,
};

/** After `pad` (rows) and `cache-form` (fused, heads before tokens). */
export const lowerToOrt: Pass = graphPass({
  name: "lower-to-ort",
  doc: "Says a decoder in ONNX Runtime's fused operators where they have a form for it.",
  params: schema.schema({
    /** Keeps the weights of linears and experts in 4 or 8 bits; absent: as they are. */
    bits: schema.optional(schema.integer(4)),
    /** Activations stay float32 beside packed weights: slow, for checks. */
    exact: schema.optional(schema.boolean),
  }),
  run: (graph, { bits, exact }) => lower(graph, bits === undefined ? undefined : { bits, exact }),
});

function lower(graph: Graph, packing: PackingParams | undefined): Graph {
  const context = new LowerContext(graph, packing);
  const widths = cacheWidths(graph);
  let inputs: RowInputs;
  return rewriteGraph(graph, {
    dialects: [ort],
    legal: [ort.name, ...graph.dialects],
    state(state, b) {
      const width = widths.get(state.value.id);
      return width === undefined ? undefined : cacheState(state, width, b);
    },
    start(b) {
      inputs = rowInputs(graph, b);
      // What many blocks share belongs to none of them.
      for (const op of graph.ops) {
        if (op.kind === "attention") {
          lengths(inputs, b, context);
          alibiBias(op, inputs, b, context);
        }
        if (op.kind === "rotary" && op.ins.slice(1).every((value) => value === null || graph.inputs.includes(value)))
          rotaryTables(op, b, context);
      }
    },
    op(op, b) {
      if (op.kind === "attention") return attentionLowering(inputs)(op, b, context);
      return Object.hasOwn(LOWERINGS, op.kind) ? LOWERINGS[op.kind]!(op, b, context) : undefined;
    },
  });
}

/** Width of the heads in each cache, by the state's id. */
function cacheWidths(graph: Graph): ReadonlyMap<string, number> {
  const widths = new Map<string, number>();
  for (const { kind, ins } of graph.ops) {
    if (kind !== "attention") continue;
    const [, k, v, , , keys, values] = ins;
    const width = paddedWidth(k!.type.shape.at(-1) as number, v!.type.shape.at(-1) as number);
    for (const cache of [keys, values]) if (cache) widths.set(cache.id, width);
  }
  return widths;
}
