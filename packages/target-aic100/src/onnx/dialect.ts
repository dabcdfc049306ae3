import { type Dialect, type Dim, dialect, op, schema, type Type } from "@llm/core-ir";

const { dim, number, schema: attributes } = schema;

/** What is read of a cache (…, heads, places, width) by indices (batch, 1, count). */
function gathered(data: Type, ids: Type): Type {
  const [, heads, , width] = data.shape as [Dim, Dim, Dim, Dim];
  const [batch, , count] = ids.shape as [Dim, Dim, Dim];
  return { dtype: data.dtype, shape: [batch, heads, count, width] };
}

const length = attributes({ length: dim });

/**
 * The card's own ops, under the names that its compiler knows. They have no `eval`: each is a function of the ONNX file that
 * says what it does, and a runtime checks that.
 */
export const aic: Dialect = dialect("aic100", {
  CtxScatter: op({
    doc: "A cache (batch, heads, places, width) with a row's new tokens at their positions; -1 is the last place.",
    operands: ["data", "positions", "updates"],
    attrs: schema.none,
    infer: ([data]) => [data!],
  }),
  CtxScatterCB: op({
    doc: "The same where each row names the sequence that it is of.",
    operands: ["data", "batch_index", "positions", "updates"],
    attrs: schema.none,
    infer: ([data]) => [data!],
  }),
  CtxGather: op({
    doc: "Places of a cache by index; one that is out of range is not read.",
    operands: ["data", "ids"],
    attrs: length,
    infer: ([data, ids]) => [gathered(data!, ids!)],
  }),
  CtxGatherCB: op({
    doc: "The same where each row names the sequence that it is of.",
    operands: ["data", "batch_index", "ids"],
    attrs: length,
    infer: ([data, , ids]) => [gathered(data!, ids!)],
  }),
  CtxGather3D: op({
    doc: "Tokens of each row (batch, tokens, width) by index (batch, count).",
    operands: ["data", "ids"],
    attrs: schema.none,
    infer: ([data, ids]) => [{ dtype: data!.dtype, shape: [...ids!.shape, data!.shape.at(-1)!] }],
  }),
  Indices: op({
    doc: "0, 1, 2 … as many as x has rows: an input whose length alone says something.",
    operands: ["x"],
    attrs: schema.none,
    infer: ([x]) => [{ dtype: "i32", shape: [x!.shape[0]!] }],
  }),
  ArgMax: op({
    doc: "Where each row has its largest number: (batch, 1).",
    operands: ["x"],
    attrs: schema.none,
    infer: ([x]) => [{ dtype: "i64", shape: [...x!.shape.slice(0, -1), 1] }],
  }),
  CustomRMSNorm: op({
    doc: "RMS norm over the last axis, which the card computes without leaving fp16's range.",
    operands: ["x", "w"],
    attrs: attributes({ epsilon: number }),
    infer: ([x]) => [x!],
  }),
});
