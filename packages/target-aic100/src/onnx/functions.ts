import type { OnnxFunction } from "@llm/exporter";
import { type FunctionBody, onnxFunction } from "./function-body.ts";

/** Whose names the compiler knows: caches', and norms'. */
export const CTX_DOMAIN = "com.qualcomm.cloud";
export const NORM_DOMAIN = "com.qti.aisw.onnx";

type Make = (opset: number) => OnnxFunction;

const ctx = (name: string, inputs: readonly string[], write: (body: FunctionBody) => void): Make => {
  return (opset) => onnxFunction({ name, domain: CTX_DOMAIN, inputs }, opset, write);
};

/** (batch, heads, seq, 1) → where each token of each head goes, as indices of three axes. */
function scatterInto(f: FunctionBody, batch: string, row: (shape: string) => string): void {
  const heads = f.sizes("data", 1, 2);
  const shape = f.beside([batch, heads, f.sizes("position_ids", 1, 2), f.ints([1])], 0);
  const indices = [row(shape), f.spread(f.count(heads), [0, 2, 3], shape), f.spread("position_ids", [1, 3], shape)];
  f.node("ScatterND", ["data", f.beside(indices, 3), "updates"], {}, "output");
}

/** The card's ops in ONNX's own: what a compiler that doesn't know a name, or another runtime, makes of them. */
export const FUNCTIONS: Readonly<Record<string, Make>> = {
  CtxScatter: ctx("CtxScatter", ["data", "position_ids", "updates"], (f) => {
    const batch = f.sizes("data", 0, 1);
    scatterInto(f, batch, (shape) => f.spread(f.count(batch), [1, 2, 3], shape));
  }),

  CtxScatterCB: ctx("CtxScatterCB", ["data", "batch_index", "position_ids", "updates"], (f) => {
    scatterInto(f, f.sizes("batch_index", 0, 1), (shape) => f.spread("batch_index", [2, 3], shape));
  }),

  CtxGather: ctx("CtxGather", ["data", "ctx_indices", "comp_ctx_len"], (f) => {
    const shape = f.beside([f.sizes("data", 0, 2), "comp_ctx_len"], 0);
    const indices = f.node("Unsqueeze", [f.spread("ctx_indices", [], shape), f.ints([-1])]);
    f.node("GatherND", ["data", indices], { batch_dims: { int: 2 } }, "output");
  }),

  CtxGatherCB: ctx("CtxGatherCB", ["data", "batch_index", "ctx_indices", "comp_ctx_len"], (f) => {
    const heads = f.sizes("data", 1, 2);
    const shape = f.beside([f.sizes("batch_index", 0, 1), heads, f.sizes("ctx_indices", 2, 3), f.ints([1])], 0);
    const indices = [
      f.spread("batch_index", [2, 3], shape),
      f.spread(f.count(heads), [0, 2, 3], shape),
      f.spread("ctx_indices", [3], shape),
    ];
    f.node("GatherND", ["data", f.beside(indices, 3)], {}, "output");
  }),

  CtxGather3D: ctx("CtxGather3D", ["data", "ctx_indices"], (f) => {
    const indices = f.node("Unsqueeze", ["ctx_indices", f.ints([-1])]);
    f.node("GatherND", ["data", indices], { batch_dims: { int: 1 } }, "output");
  }),

  CustomRMSNorm: (opset) =>
    onnxFunction(
      { name: "CustomRMSNorm", domain: NORM_DOMAIN, inputs: ["hidden_states", "weight"], attributes: ["epsilon"] },
      opset,
      (f) => {
        const square = f.node("Mul", ["hidden_states", "hidden_states"]);
        const mean = f.node("ReduceMean", [square], { axes: { ints: [-1] }, keepdims: { int: 1 } });
        const epsilon = f.node("Constant", [], { value_float: { ref: "epsilon", kind: "float" } });
        const root = f.node("Sqrt", [f.node("Add", [mean, epsilon])]);
        const scaled = f.node("Mul", ["hidden_states", f.node("Reciprocal", [root])]);
        f.node("Mul", [f.node("Cast", ["weight"], { to: { dtype: "f32" } }), scaled], {}, "output");
      },
    ),
};
