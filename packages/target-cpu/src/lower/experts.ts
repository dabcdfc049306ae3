import { type ActivationName, type Builder, type Dim, dimMul, dimProduct, type Value } from "@llm/core-ir";
import type { WeightExpr } from "@llm/tensor";
import { GROUP, packedFormat } from "../ort/packed-weights.ts";
import { activated } from "./activation.ts";
import type { LowerContext, Lowering } from "./context.ts";

/**
 * Rows are put in order by expert, so that each expert's weights are multiplied once, by all the rows that go to it, with the
 * kernels that linears have; those of experts that nobody chose aren't read.
 */
export const lowerExperts: Lowering = (op, b, context) => {
  const [x, weights, ids, gate, up, down] = op.ins as readonly [Value, Value, Value, Value | null, Value, Value];
  const fn = op.attrs.fn as ActivationName;
  const [count, , width] = up.type.shape as readonly [number, number, number];
  const k = ids.type.shape.at(-1)!;
  const tokens = dimProduct(ids.type.shape.slice(0, -1));
  const { place, sorted, counts } = order(b, ids, { count, tokens, k });

  const linears = (rows: Value, w: Value): Value => {
    const leaves = Array.from({ length: count }, (_, expert) => expertWeight(w, expert, b, context));
    const attrs = context.packing ? { ...context.packing, group: GROUP } : {};
    return b.op("GroupedLinear", [rows, counts, ...leaves], attrs);
  };
  const rows = b.gather(b.reshape(x, [tokens, width]), sorted); // (pairs, width)
  const upward = linears(rows, up);
  const hidden = gate
    ? b.mul(activated(fn, linears(rows, gate), b, context), upward)
    : activated(fn, upward, b, context);
  const out = b.gather(linears(hidden, down), place); // (…, k, width)
  const weighted = b.mul(out, b.reshape(weights, [k, 1], 1));
  return [b.reshape(b.reduce("sum", weighted, [-2]), [width], 2)];
};

interface Order {
  /** Where each pair of a token and an expert is in the order (…, k). */
  readonly place: Value;
  /** The token of each row of the order (pairs). */
  readonly sorted: Value;
  /** Rows of each expert (experts). */
  readonly counts: Value;
}

/** Counts instead of sorting: a pair comes after those of experts before its own, and after earlier ones of the same. */
function order(b: Builder, ids: Value, { count, tokens, k }: { count: number; tokens: Dim; k: Dim }): Order {
  const pairs = dimMul(tokens, k);
  const experts = b.reshape(b.iota(count), [1, count]);
  const goes = b.cast(b.compare("eq", b.reshape(ids, [pairs, 1]), experts), "f32"); // (pairs, experts)
  const totals = b.reduce("sum", goes, [0]); // (1, experts)
  const earlier = b.add(b.cumsum(goes, 0, { exclusive: true }), b.cumsum(totals, 1, { exclusive: true }));
  const place = b.cast(b.reduce("sum", b.mul(goes, earlier), [1]), "i32"); // (pairs, 1)
  const token = b.expand(b.reshape(b.iota(tokens), [tokens, 1]), [tokens, k]);
  const nobody = b.expand(b.constant(0, "i32"), [pairs]);
  return {
    place: b.reshape(place, ids.type.shape),
    sorted: b.scatter(nobody, place, b.reshape(token, [pairs]), "wrap"),
    counts: b.cast(b.reshape(totals, [count]), "i64"),
  };
}

/** One expert's matrix, packed where linears are. */
function expertWeight(w: Value, expert: number, b: Builder, context: LowerContext): Value {
  const { packing } = context;
  const of = matrixOf(context.weight(w)!, expert, w.type.shape.slice(1) as readonly number[]);
  return b.weight(packing === undefined ? of : { op: "encode", of, format: packedFormat(packing.bits) });
}

function matrixOf(of: WeightExpr, expert: number, shape: readonly number[]): WeightExpr {
  if (of.op === "stack") return of.of[expert]!;
  return { op: "reshape", of: { op: "slice", of, axis: 0, start: expert, end: expert + 1 }, shape };
}
