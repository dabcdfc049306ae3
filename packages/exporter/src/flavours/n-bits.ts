import type { Graph } from "@llm/core-ir";
import { type DType, type Packing, partOf, shapeOf, type WeightExpr } from "@llm/tensor";
import { type Emission, type EmitterTable, typeOf } from "../convert/emission.ts";
import { emitLinear } from "../convert/linear.ts";

/** The domain of ONNX Runtime's own ops, and their version. */
export const NBITS_DOMAINS: Readonly<Record<string, number>> = { "com.microsoft": 1 };

/** Values that share a scale: what published models of this kind have. */
const GROUP = 32;

/** Emitters that say every linear with a weight of its own as MatMulNBits, with the weight in 4 or 8 bits. */
export function nBitsEmitters(graph: Graph, bits: 4 | 8): EmitterTable {
  const weights = new Map(graph.weights.map(({ value, expr }) => [value.id, expr]));
  return {
    linear({ names: [x, , bias = ""], ins, outs }, onnx) {
      const w = ins[1]!;
      const expr = weights.get(w.id);
      if (expr === undefined) {
        emitLinear(onnx, { x, type: typeOf(ins[0]), w, b: bias }, outs[0]);
        return;
      }
      const [rows, columns] = w.type.shape as readonly [number, number];
      const [data, scales] = ["data", "scales"].map((part) => packed(onnx, w.id, expr, bits, part));
      onnx.node("MatMulNBits", [x, data, scales, "", "", bias], {
        domain: "com.microsoft",
        attrs: { K: { int: columns }, N: { int: rows }, bits: { int: bits }, block_size: { int: GROUP } },
        outs,
      });
    },
  };
}

function packed(onnx: Emission, id: string, of: WeightExpr, bits: 4 | 8, part: string): string {
  const format = { format: `matmulnbits${bits}`, group: GROUP, symmetric: true };
  const packing: Packing = { ...format, part };
  const { dtype, shape } = partOf(shapeOf(of), packing);
  const weight: WeightExpr = { op: "encode", of, format };
  return onnx.initializer({ name: `${id}:${part}`, dtype: dtype as DType, shape, weight, packing });
}
