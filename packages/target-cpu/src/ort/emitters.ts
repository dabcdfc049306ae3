import type { Value } from "@llm/core-ir";
import { type Emission, type EmittedOp, type EmitterTable, nodeEmitter } from "@llm/exporter";
import { scalesOf } from "./packed-weights.ts";

const domain = "com.microsoft";

interface Packed {
  readonly bits: number;
  readonly group: number;
  readonly exact?: boolean;
}

/** x · wᵀ + bias with w packed; its type is that of what it stands for. */
function packedProduct(
  onnx: Emission,
  [x, w, bias]: readonly [string, string, string],
  { type }: Value,
  { bits, group, exact }: Packed,
  outs: readonly (Value | null)[] = [null],
): string {
  const [rows, columns] = type.shape as [number, number];
  return onnx.node("MatMulNBits", [x, w, scalesOf(w), "", "", bias], {
    domain,
    outs,
    attrs: {
      K: { int: columns },
      N: { int: rows },
      bits: { int: bits },
      block_size: { int: group },
      // 4: products of 8-bit integers, what the fast kernels do, and the only fast ones for 8-bit weights.
      accuracy_level: { int: exact ? 0 : 4 },
    },
  });
}

/**
 * The same value, of which nothing but its type is known before the model runs. When it loads a model, the runtime compares every
 * shape that it knows with all before it, to use memory again: for the thousands of runs that experts have, for minutes.
 */
function withoutShape(onnx: Emission, x: string, counts: string): string {
  const first = onnx.node("Gather", [counts, onnx.ints([0])]);
  const axis = onnx.node("Sub", [first, first]); // [0], which only running shows
  return onnx.node("Squeeze", [onnx.node("Unsqueeze", [x, onnx.ints([0])]), axis]);
}

/** How the dialect's ops are written. */
export const ortEmitters: EmitterTable = {
  FusedMatMul: nodeEmitter({ op: "FusedMatMul", domain, attrs: { transB: "bool" } }),

  MatMulNBits({ names: [x, w, bias = ""], attrs, ins, outs }: EmittedOp, onnx: Emission) {
    packedProduct(onnx, [x!, w!, bias], ins[1]!, attrs as unknown as Packed, outs);
  },

  GroupedLinear({ names: [x, counts, ...ws], attrs, ins, outs }: EmittedOp, onnx: Emission) {
    const axis = { axis: { int: 0 } };
    const runs = onnx.nodes("Split", [withoutShape(onnx, x!, counts!), counts!], {
      attrs: axis,
      outs: ws.map(() => null),
    });
    const products = ws.map((w, i) =>
      attrs.bits === undefined
        ? onnx.node("FusedMatMul", [runs[i]!, w], { domain, attrs: { transB: { int: 1 } } })
        : packedProduct(onnx, [runs[i]!, w, ""], ins[i + 2]!, attrs as unknown as Packed),
    );
    onnx.node("Concat", products, { attrs: axis, outs });
  },

  GroupQueryAttention({ names, attrs, outs }: EmittedOp, onnx: Emission) {
    const [q, k, v, keys, values, last, total, bias = ""] = names as string[];
    // Between the lengths and the bias stand tables for rotation, which is done before.
    onnx.nodes("GroupQueryAttention", [q!, k!, v!, keys!, values!, last!, total!, "", "", "", bias], {
      domain,
      outs,
      attrs: {
        num_heads: { int: attrs.heads as number },
        kv_num_heads: { int: attrs.groups as number },
        scale: { float: attrs.scale as number },
        ...(attrs.window === undefined ? {} : { local_window_size: { int: attrs.window as number } }),
        ...(attrs.softcap === undefined ? {} : { softcap: { float: attrs.softcap as number } }),
      },
    });
  },

  RotaryEmbedding: nodeEmitter({
    op: "RotaryEmbedding",
    domain,
    attrs: { "heads>num_heads": "int", "dims>rotary_embedding_dim": "int", interleaved: "bool" },
  }),

  SimplifiedLayerNormalization: nodeEmitter({
    op: "SimplifiedLayerNormalization",
    attrs: { "eps>epsilon": "float" },
    fixed: { axis: { int: -1 } },
  }),

  SkipLayerNormalization({ names, attrs, outs: [normed, sum] }: EmittedOp, onnx: Emission) {
    // Two results in between, mean and variance, are only there for training.
    onnx.nodes("SkipLayerNormalization", names, {
      domain,
      attrs: { epsilon: { float: attrs.eps as number } },
      outs: [normed!, null, null, sum!],
    });
  },

  SkipSimplifiedLayerNormalization(
    { names: [x, skip, w, , bias = ""], attrs, outs: [normed, sum] }: EmittedOp,
    onnx: Emission,
  ) {
    onnx.nodes("SkipSimplifiedLayerNormalization", [x!, skip!, w!, bias], {
      domain,
      attrs: { epsilon: { float: attrs.eps as number } },
      outs: [normed!, null, null, sum!],
    });
  },

  BiasGelu: nodeEmitter({ op: "BiasGelu", domain }),
  FastGelu: nodeEmitter({ op: "FastGelu", domain }),
  QuickGelu: nodeEmitter({ op: "QuickGelu", domain, attrs: { alpha: "float" } }),
};
