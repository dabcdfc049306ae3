import type { Dim } from "@llm/core-ir";
import { type Emission, type EmittedOp, type Emitter, type EmitterTable, nodeEmitter } from "@llm/exporter";
import { CTX_DOMAIN, NORM_DOMAIN } from "./functions.ts";

/** How many places are read comes last, as a tensor. */
const gather =
  (op: string): Emitter =>
  ({ names, attrs, outs }: EmittedOp, onnx: Emission) => {
    onnx.node(op, [...names, onnx.dims([attrs.length as Dim])], { domain: CTX_DOMAIN, outs });
  };

/** How the card's ops are written. */
export const aicEmitters: EmitterTable = {
  CtxScatter: nodeEmitter({ op: "CtxScatter", domain: CTX_DOMAIN }),
  CtxScatterCB: nodeEmitter({ op: "CtxScatterCB", domain: CTX_DOMAIN }),
  CtxGather: gather("CtxGather"),
  CtxGatherCB: gather("CtxGatherCB"),
  CtxGather3D: nodeEmitter({ op: "CtxGather3D", domain: CTX_DOMAIN }),
  Indices({ names: [x], outs }: EmittedOp, onnx: Emission) {
    const rows = onnx.node("Shape", [x!], { attrs: { start: { int: 0 }, end: { int: 1 } } });
    const limit = onnx.node("Cast", [onnx.node("Squeeze", [rows])], { attrs: { to: { dtype: "i32" } } });
    onnx.node("Range", [onnx.scalar("i32", 0), limit, onnx.scalar("i32", 1)], { outs });
  },
  ArgMax: nodeEmitter({ op: "ArgMax", fixed: { axis: { int: -1 }, keepdims: { int: 1 } } }),
  CustomRMSNorm: nodeEmitter({ op: "CustomRMSNorm", domain: NORM_DOMAIN, attrs: { epsilon: "float" } }),
};
