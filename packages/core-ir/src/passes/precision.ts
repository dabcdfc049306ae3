import { DTYPES, type DType, type Tensor } from "@llm/tensor";
import type { Builder } from "../builder.ts";
import type { Attrs, Graph, Op, State, Value } from "../graph.ts";
import { graphPass } from "../pass.ts";
import { rewriteGraph } from "../rewrite.ts";
import { encode16 } from "../rounding.ts";
import { boolean, choice, optional, schema, texts } from "../schema.ts";

type Half = "f16" | "bf16";

/** The largest finite number: what infinities and larger ones become. */
export const LARGEST: Readonly<Record<Half, number>> = { f16: 65504, bf16: 3.3895313892515355e38 };

/** Weights, activations and caches in 16 bits. What was made f32 on purpose (angles of positions) stays so. */
export const precision = graphPass({
  name: "precision",
  doc: "Lowers f32 to f16 or bf16; constants and bounds outside the format's range are clipped to it, infinities too.",
  params: schema({
    dtype: choice("f16", "bf16"),
    /** Kinds of ops that still calculate in f32, between casts. */
    keep: optional(texts),
    /** Outputs stay f32; true unless said. */
    wideOutputs: optional(boolean),
  }),
  run: (graph, { dtype, keep = [], wideOutputs = true }) => lowerPrecision(graph, dtype, new Set(keep), wideOutputs),
});

function lowerPrecision(graph: Graph, dtype: Half, keep: ReadonlySet<string>, wideOutputs: boolean): Graph {
  const leaves = halfLeaves(graph, dtype);
  const lowered = rewriteGraph(graph, {
    input(value, b) {
      if (value.type.dtype !== "f32") return undefined;
      b.keepInput(value);
      return b.as(`${value.id}.${dtype}`).cast(value, dtype);
    },
    state: (state, b) => halfState(state, b, dtype),
    op: (op, b) => halfOp(op, b, { dtype, leaves, keep }),
    end(b, map) {
      for (const { value, next } of graph.states) {
        const now = map(value);
        b.setNext(now, b.cast(map(next), now.type.dtype));
      }
    },
  });
  return wideOutputs ? widened(lowered, graph) : lowered;
}

interface Lowering {
  readonly dtype: Half;
  readonly leaves: Leaves;
  readonly keep: ReadonlySet<string>;
}

function halfOp(op: Op, b: Builder, { dtype, leaves, keep }: Lowering): readonly Value[] | undefined {
  if (op.kind === "cast") return undefined; // says its dtype itself
  const own = op.ins.filter((value) => value && isFloat(value) && !leaves(value, b)) as Value[];
  // Leaves follow the values beside them: a table of frequencies beside f32 positions stays f32.
  const wide = own.length > 0 && own.every((value) => value.type.dtype === "f32");
  if (wide || keep.has(op.kind)) {
    const raised = op.ins.map(
      (value) => value && (isFloat(value) ? b.cast(leaves(value, b, true) ?? value, "f32") : value),
    );
    const outs = b.ops(op.kind, raised, op.attrs);
    return wide ? outs : outs.map((out) => (out.type.dtype === "f32" ? b.cast(out, dtype) : out));
  }
  const half = op.ins.map(
    (value) => value && (leaves(value, b) ?? (value.type.dtype === "f32" ? b.cast(value, dtype) : value)),
  );
  return b.ops(op.kind, half, clippedAttrs(op, dtype));
}

/** A 16-bit twin of a leaf, undefined for other values; `wide` gives constants as they were. */
type Leaves = (value: Value, b: Builder, wide?: boolean) => Value | undefined;

/** 16-bit twins of f32 weights and constants, made when first asked for. A weight's takes its name. */
function halfLeaves(graph: Graph, dtype: Half): Leaves {
  const weights = new Set(graph.weights.map(({ value }) => value.id));
  const constants = new Map(graph.constants.map(({ value, data }) => [value.id, data]));
  const twins = new Map<string, Value>();
  return (value, b, wide = false) => {
    if (value.type.dtype !== "f32") return undefined;
    const data = constants.get(value.id);
    if (wide && data) return value;
    let twin = twins.get(value.id);
    twin ??= weights.has(value.id) ? b.retype(value, dtype) : data && b.constant(clipped(data, dtype));
    if (twin) twins.set(value.id, twin);
    return twin;
  };
}

/** NaN stays NaN; everything else is within the format's range. */
function clipped({ shape, data }: Tensor, dtype: Half): Tensor {
  const most = LARGEST[dtype];
  const within = (data as Float32Array).map((x) => Math.min(Math.max(x, -most), most));
  return { dtype, shape, data: encode16(dtype, within) };
}

function clippedAttrs({ kind, attrs }: Op, dtype: Half): Attrs {
  if (kind !== "clip" && kind !== "pad") return attrs;
  const most = LARGEST[dtype];
  const within = (x: unknown) => (typeof x === "number" ? Math.min(Math.max(x, -most), most) : x);
  const bounds = ["min", "max", "value"].filter((name) => attrs[name] !== undefined);
  return { ...attrs, ...Object.fromEntries(bounds.map((name) => [name, within(attrs[name]) as number])) };
}

function halfState({ value, role, update }: State, b: Builder, dtype: Half): Value | undefined {
  if (value.type.dtype !== "f32") return undefined;
  b.release(value.id);
  return b.state(value.id, { dtype, shape: value.type.shape }, { role, update });
}

/** Outputs that were f32 are again, under their names; what else reads them goes on with the 16 bits. */
function widened(lowered: Graph, before: Graph): Graph {
  const wide = new Set(before.outputs.filter(({ type }) => type.dtype === "f32").map(({ id }) => id));
  const narrow = new Set(
    lowered.outputs.filter(({ id, type }) => wide.has(id) && type.dtype !== "f32").map(({ id }) => id),
  );
  const narrowOf = new Map<Value, Value>(); // by the cast that has the output's name now
  return rewriteGraph(lowered, {
    op(op, b) {
      const ins = op.ins.map((value) => value && (narrowOf.get(value) ?? value));
      const isOutput = op.outs.some(({ id }) => narrow.has(id));
      if (!isOutput && ins.every((value, i) => value === op.ins[i])) return undefined;
      return b.ops(op.kind, ins, op.attrs).map((out, i) => {
        if (!narrow.has(op.outs[i]!.id)) return out;
        const widerOut = b.cast(out, "f32");
        narrowOf.set(widerOut, out);
        return widerOut;
      });
    },
    end(b, map) {
      for (const { value, next } of lowered.states) {
        const kept = narrowOf.get(map(next));
        if (kept) b.setNext(value, kept);
      }
    },
  });
}

function isFloat({ type }: Value): boolean {
  return DTYPES[type.dtype as DType].float;
}
