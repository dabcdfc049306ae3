import type { Attrs, Op } from "@llm/core-ir";
import { tensor } from "@llm/tensor";
import { type Emitter, typeOf } from "./emission.ts";
import { emitLinear } from "./linear.ts";
import { encodeNumbers } from "./scalars.ts";

/** An op that ONNX has as one of its own, from some opset on and for some attributes. */
export interface NativeOp {
  when(op: Op, opset: number): boolean;
  readonly emit: Emitter;
}

/** Decoder ops that are better said whole than in primitives: fewer nodes, and kernels that runtimes made for them. */
export const nativeOps: Readonly<Record<string, NativeOp>> = {
  linear: {
    when: () => true,
    emit({ names: [x, , b = ""], ins, outs }, onnx) {
      emitLinear(onnx, { x, type: typeOf(ins[0]), w: ins[1]!, b }, outs[0]);
    },
  },

  norm: {
    when: ({ ins, attrs }, opset) => isPlainNorm(ins, attrs) && opset >= (attrs.kind === "layer" ? 17 : 23),
    emit({ attrs, names: [x, w, b = ""], ins, outs }, onnx) {
      const { dtype, shape } = typeOf(ins[0]);
      const width = shape.at(-1) as number;
      const ones = () => onnx.constant(tensor(dtype, [width], encodeNumbers(dtype, Array(width).fill(1))));
      const options = { attrs: { axis: { int: -1 }, epsilon: { float: attrs.eps as number } }, outs };
      if (attrs.kind === "layer") onnx.node("LayerNormalization", [x, w || ones(), b], options);
      else onnx.node("RMSNormalization", [x, w || ones()], options);
    },
  },

  activation: {
    when: ({ attrs }, opset) => opset >= 20 && (attrs.fn === "gelu" || attrs.fn === "gelu_tanh"),
    emit({ attrs, names, outs }, onnx) {
      const approximate = { string: attrs.fn === "gelu" ? "none" : "tanh" };
      onnx.node("Gelu", names, { attrs: { approximate }, outs });
    },
  },
};

/** Over the last axis, with a weight and a bias of that axis alone. */
function isPlainNorm([x, w, b]: Op["ins"], attrs: Attrs): boolean {
  const oneAxis = (value: Op["ins"][number] | undefined) => value == null || value.type.shape.length === 1;
  const width = typeOf(x).shape.at(-1);
  if (attrs.plusOne || (attrs.axes ?? 1) !== 1 || typeof width !== "number") return false;
  return oneAxis(w) && oneAxis(b) && (attrs.kind === "layer" || b == null);
}
