import { type Dialect, type Dim, dialect, op, schema, type Type } from "@llm/core-ir";

const { boolean, integer, number, optional, schema: attributes } = schema;

const layerNorm = attributes({ eps: number });

/** x, then what is added to it first, a weight and perhaps a bias: the norm of the sum, and the sum. */
const skipNorm = op({
  doc: "A residual connection and the norm after it in one: norm(x + skip + bias), and that sum.",
  operands: ["x", "skip", "w", "b?", "bias?"],
  results: ["normed", "sum"],
  attrs: layerNorm,
  infer: ([x]) => [x!, x!],
});

/**
 * Operators of ONNX Runtime beyond ONNX's own, by its names. They have no `eval`: the runtime is what they are checked on,
 * against the decoder ops that they stand for.
 */
export const ort: Dialect = dialect("ort", {
  FusedMatMul: op({
    doc: "A product whose right side may lie transposed, as checkpoints store it.",
    operands: ["x", "w"],
    attrs: attributes({ transB: boolean }),
    infer([x, w], { transB }) {
      const [rows, columns] = w!.shape;
      return [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), (transB ? rows : columns)!] }];
    },
  }),

  /** `w` is as it was encoded: the file has its parts, and the graph its shape. */
  MatMulNBits: op({
    doc: "x · wᵀ + bias with w in 4 or 8 bits and a scale for each group; activations are rounded to 8 bits on the way.",
    operands: ["x", "w", "bias?"],
    attrs: attributes({
      bits: integer(4),
      group: integer(16),
      /** Activations stay float32: far slower, and what the packed weights alone are checked by. */
      exact: optional(boolean),
    }),
    infer: ([x, w]) => [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), w!.shape[0]!] }],
  }),

  /** Runs may be empty; what is packed is as `MatMulNBits` has it. */
  GroupedLinear: op({
    doc: "x · wᵀ for runs of rows, one after another, each by a weight of its own: counts says how many rows each has.",
    operands: ["x", "counts", "...w"],
    attrs: attributes({
      bits: optional(integer(4)),
      group: optional(integer(16)),
      exact: optional(boolean),
    }),
    infer: ([x, , w]) => [{ dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), w!.shape[0]!] }],
  }),

  /** The cache's `context` is what there is room for: it is updated in place, and tells nothing of what is in it. */
  GroupQueryAttention: op({
    doc: "Attention of q (batch, seq, heads · dim) over a cache (batch, groups, context, dim) that it updates in place.",
    operands: ["q", "k", "v", "keys", "values", "last", "total", "bias?"],
    results: ["", "keys", "values"],
    attrs: attributes({
      heads: integer(1),
      groups: integer(1),
      scale: number,
      window: optional(integer(1)),
      softcap: optional(number),
    }),
    infer: ([q, , , keys, values]) => [q!, keys!, values!],
  }),

  RotaryEmbedding: op({
    doc: "Turns pairs of each head of x (batch, seq, heads · dim) by the rows of two tables.",
    operands: ["x", "rows", "cos", "sin"],
    attrs: attributes({ heads: integer(1), dims: integer(2), interleaved: boolean }),
    infer: ([x]) => [x!],
  }),

  SimplifiedLayerNormalization: op({
    doc: "RMS norm over the last axis.",
    operands: ["x", "w"],
    attrs: layerNorm,
    infer: ([x]) => [x!],
  }),

  SkipLayerNormalization: skipNorm,
  SkipSimplifiedLayerNormalization: skipNorm,

  BiasGelu: op({ doc: "gelu(x + bias)", operands: ["x", "bias"], attrs: schema.none, infer: ([x]) => [x!] }),
  FastGelu: op({
    doc: "gelu by tanh of x + bias",
    operands: ["x", "bias"],
    attrs: schema.none,
    infer: ([x]) => [x!],
  }),
  QuickGelu: op({
    doc: "x · sigmoid(alpha · x)",
    operands: ["x"],
    attrs: attributes({ alpha: number }),
    infer: ([x]) => [x!],
  }),
});

/** A type with other leading axes. */
export function withLeading(type: Type, leading: readonly Dim[], from: number): Type {
  return { dtype: type.dtype, shape: [...leading, ...type.shape.slice(from)] };
}
