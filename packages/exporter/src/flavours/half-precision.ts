import { type Attrs, type Builder, type Graph, type Op, rewriteGraph, type Value } from "@llm/core-ir";
import { type DType, type Tensor, tensor } from "@llm/tensor";
import { encodeNumbers } from "../convert/scalars.ts";

/** The largest number that fp16 has. */
const LARGEST = 65504;

/**
 * The same decoder in fp16, weights and caches included; logits stay fp32. What would leave fp16's range on the way is
 * kept from it: norms are computed in fp32, attention scales its queries before it multiplies, constants are clipped.
 */
export function halfPrecision(graph: Graph): Graph {
  const outputs = new Set(graph.outputs.map(({ id }) => id));
  return rewriteGraph(narrow(graph), {
    op(op, b) {
      const made = guarded(op, b);
      if (!op.outs.some(({ id }) => outputs.has(id))) return made;
      return (made ?? b.ops(op.kind, op.ins, op.attrs)).map((value) => b.cast(value, "f32"));
    },
  });
}

/** The op where its numbers stay small enough; undefined: it is so already. */
function guarded(op: Op, b: Builder): readonly Value[] | undefined {
  if (op.kind === "norm") {
    const wide = op.ins.map((value) => value && b.cast(value, "f32"));
    return [b.cast(b.op("norm", wide, op.attrs), "f16")];
  }
  const { scale, ...rules } = op.attrs;
  if (op.kind !== "attention" || addsBeforeScale(rules)) return undefined;
  const [q, ...rest] = op.ins;
  return b.ops("attention", [b.scale(q!, scale as number), ...rest], { ...rules, scale: 1 });
}

/** Biases that are scaled together with the scores keep the scale where it is. */
function addsBeforeScale({ alibi }: Attrs): boolean {
  return (alibi as { anchor?: string } | undefined)?.anchor === "key";
}

/** Every fp32 value as fp16. */
function narrow(graph: Graph): Graph {
  const made = new Map<string, Value>();
  const half = (value: Value): Value => {
    if (value.type.dtype !== "f32") return value;
    let narrowed = made.get(value.id);
    if (narrowed === undefined) made.set(value.id, (narrowed = { ...value, type: { ...value.type, dtype: "f16" } }));
    return narrowed;
  };
  const op = ({ ins, outs, attrs, ...rest }: Op): Op => ({
    ...rest,
    ins: ins.map((value) => value && half(value)),
    outs: outs.map(half),
    attrs: rest.kind === "cast" && attrs.to === "f32" ? { ...attrs, to: "f16" } : attrs,
  });
  return {
    ...graph,
    inputs: graph.inputs.map(half),
    outputs: graph.outputs.map(half),
    weights: graph.weights.map((weight) => ({ ...weight, value: half(weight.value) })),
    constants: graph.constants.map(({ value, data }) => ({ value: half(value), data: halfTensor(data) })),
    states: graph.states.map((state) => ({ ...state, value: half(state.value), next: half(state.next) })),
    ops: graph.ops.map(op),
  };
}

function halfTensor(data: Tensor): Tensor {
  if (data.dtype !== "f32") return data;
  const clipped = Array.from(data.data as Float32Array, (value) => Math.min(Math.max(value, -LARGEST), LARGEST));
  return tensor("f16" satisfies DType, data.shape, encodeNumbers("f16", clipped));
}
