import {
  absorbAll,
  type Builder,
  type Graph,
  graphPass,
  type Op,
  type Pass,
  rewriteGraph,
  schema,
  type Value,
} from "@llm/core-ir";
import { aic } from "../onnx/dialect.ts";
import { attentionOf, BATCH, type Generation, SEQ, size } from "./form.ts";
import { indexGeneration } from "./index-generation.ts";
import { positionsGeneration } from "./positions-generation.ts";

/** From a canonical decoder to one with the card's inputs, outputs and retained caches. */
export const cardGraph: Pass = graphPass({
  name: "aic100-graph",
  doc: "Gives a decoder the inputs, outputs and retained caches that Cloud AI 100 knows, of one of two generations.",
  params: schema.schema({
    /** positions: written at position_ids; index: all rows at cache_index. */
    generation: schema.choice("positions", "index"),
    ctxLen: schema.integer(2),
    /** Most tokens of a call: what a windowed layer's cache has room for besides its window. */
    chunk: schema.integer(1),
    /** Of positions: rows name their sequence (continuous batching). */
    batchIndex: schema.optional(schema.boolean),
    /** Of positions: an input's length is how many logits a row gives. */
    keepLogits: schema.optional(schema.boolean),
    /** Of positions: an input's length is how much of the cache is read. */
    compContext: schema.optional(schema.boolean),
    /** Of index: a single head's cache has three axes. */
    flatSingleHead: schema.optional(schema.boolean),
  }),
  run(graph, { generation, ctxLen, chunk, ...rest }) {
    const { batchIndex = false, keepLogits = false, compContext = false, flatSingleHead = false } = rest;
    const form =
      generation === "positions"
        ? positionsGeneration({ batchIndex, keepLogits, compContext, ctxLen, chunk })
        : indexGeneration({ flatSingleHead, ctxLen });
    return forCard(absorbAll(graph), form);
  },
});

function forCard(graph: Graph, form: Generation): Graph {
  let positions: Value | undefined;
  const ones = new Map<number, Value>();
  let layer = 0;
  const card = rewriteGraph(graph, {
    dialects: [aic],
    legal: [aic.name, ...graph.dialects],
    input({ id }, b) {
      const ids = id === "ids" ? b.input("input_ids", "i64", [size(b, BATCH), size(b, SEQ)]) : undefined;
      if (ids) return b.cast(ids, "i32");
      positions ??= form.positions(b);
      if (id === "reach") b.release(id);
      if (id === "reach") return b.expand(b.cast(b.input("reach", "i64", [BATCH, 1]), "i32"), [BATCH, SEQ]);
      return positions; // slots and rows: nothing reads them any more
    },
    start(b, map) {
      const attentions = graph.ops.filter(({ kind }) => kind === "attention");
      form.start(
        b,
        attentions.map((op, at) => attentionOf(op, at, map)),
      );
    },
    op(op, b) {
      if (op.kind === "attention") return [form.attend(b, attentionOf(op, layer++))];
      if (op.kind === "pick") return [form.pick(b, op.ins[0]!)];
      if (op.kind === "norm") return rmsNorm(op, b, ones);
      // Whatever the graph computes in, logits come back as float32.
      if (op.outs[0]!.id === "logits") return b.ops(op.kind, op.ins, op.attrs).map((out) => b.cast(out, "f32"));
      return undefined;
    },
  });
  // Where only columns count, as for a bias by key, nothing reads positions.
  const read = new Set(card.ops.flatMap(({ ins }) => ins.map((value) => value?.id)));
  return { ...card, inputs: card.inputs.filter(({ id }) => read.has(id)) };
}

/** RMS norms of the last axis have a name that the compiler keeps in a wider range. */
function rmsNorm({ ins: [x, w, bias], attrs }: Op, b: Builder, ones: Map<number, Value>): readonly Value[] | undefined {
  const width = x!.type.shape.at(-1);
  const oneAxis = w == null || w.type.shape.length === 1;
  if (attrs.kind !== "rms" || (attrs.axes ?? 1) !== 1 || bias || !oneAxis || typeof width !== "number")
    return undefined;
  const weight = w ? (attrs.plusOne ? b.add(w, b.scalar(1, w)) : w) : (ones.get(width) ?? onesOf(b, width));
  if (!w) ones.set(width, weight);
  return [b.op("CustomRMSNorm", [x!, weight], { epsilon: attrs.eps! })];
}

function onesOf(b: Builder, width: number): Value {
  return b.constant({ dtype: "f32", shape: [width], data: new Float32Array(width).fill(1) });
}
