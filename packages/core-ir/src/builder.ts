import type { DType } from "@llm/tensor";
import type { ActivationName } from "./decoder/functions.ts";
import { decoder } from "./decoder/index.ts";
import type { Dim } from "./dim.ts";
import type { Value } from "./graph.ts";
import { GraphBuilder } from "./graph-builder.ts";
import type { Dialect } from "./op-def.ts";
import type { BinaryName, CompareName, UnaryName } from "./primitive/elementwise.ts";
import { primitive } from "./primitive/index.ts";
import type { AlibiRules, FarFrequencies, RouteRules } from "./rules.ts";

/** The graph builder with a method for every op of the two dialects of core-ir. */
export class Builder extends GraphBuilder {
  constructor(name: string, dialects: readonly Dialect[] = [decoder, primitive]) {
    super(name, dialects);
  }

  // Decoder ops; shapes are in ARCHITECTURE.md.

  embed(table: Value, ids: Value, attrs: { offset?: number } = {}): Value {
    return this.op("embed", [table, ids], attrs);
  }

  linear(x: Value, w: Value, bias: Value | null = null): Value {
    return this.op("linear", [x, w, bias], {});
  }

  norm(
    x: Value,
    attrs: { kind: "rms" | "layer"; eps: number; plusOne?: boolean; axes?: number },
    w: Value | null = null,
    bias: Value | null = null,
  ): Value {
    return this.op("norm", [x, w, bias], attrs);
  }

  rotary(
    x: Value,
    positions: Value,
    attrs: {
      dims: number;
      start?: number;
      pairs: "half" | "interleaved";
      freqs: readonly number[];
      factor?: number;
      beyond?: FarFrequencies;
    },
    reach: Value | null = null,
  ): Value {
    return this.op("rotary", [x, positions, reach], attrs);
  }

  /** Without a cache: `cache-form` gives it one. */
  attention(
    { q, k, v, positions, slots = null }: { q: Value; k: Value; v: Value; positions: Value; slots?: Value | null },
    attrs: { scale: number; window?: number; softcap?: number; alibi?: AlibiRules },
  ): Value {
    return this.op("attention", [q, k, v, positions, slots], attrs);
  }

  latentAttention(
    ins: {
      qNope: Value;
      qRope: Value;
      c: Value;
      kRope: Value;
      wKb: Value;
      wVb: Value;
      positions: Value;
      slots?: Value | null;
    },
    attrs: { scale: number },
  ): Value {
    const { qNope, qRope, c, kRope, wKb, wVb, positions, slots = null } = ins;
    return this.op("latent_attention", [qNope, qRope, c, kRope, wKb, wVb, positions, slots], attrs);
  }

  activation(x: Value, fn: ActivationName): Value {
    return this.op("activation", [x], { fn });
  }

  glu(gate: Value, up: Value, fn: ActivationName): Value {
    return this.op("glu", [gate, up], { fn });
  }

  route(scores: Value, attrs: RouteRules, bias: Value | null = null): { weights: Value; ids: Value } {
    const [weights, ids] = this.ops("route", [scores, bias], attrs);
    return { weights: weights!, ids: ids! };
  }

  experts(
    x: Value,
    routed: { weights: Value; ids: Value },
    w: { gate?: Value | null; up: Value; down: Value },
    fn: ActivationName,
  ): Value {
    return this.op("experts", [x, routed.weights, routed.ids, w.gate ?? null, w.up, w.down], { fn });
  }

  softcap(x: Value, cap: number): Value {
    return this.op("softcap", [x], { cap });
  }

  pick(x: Value, rows: Value): Value {
    return this.op("pick", [x, rows]);
  }

  round(x: Value, format: string, options: { group?: number; symmetric?: boolean } = {}): Value {
    return this.op("round", [x], { format, ...options });
  }

  // Primitives.

  iota(size: Dim): Value {
    return this.op("iota", [], { size });
  }

  cast(x: Value, to: DType): Value {
    return x.type.dtype === to ? x : this.op("cast", [x], { to });
  }

  unary(fn: UnaryName, x: Value): Value {
    return this.op("unary", [x], { fn });
  }

  binary(fn: BinaryName, x: Value, y: Value): Value {
    return this.op("binary", [x, y], { fn });
  }

  add(x: Value, y: Value): Value {
    return this.binary("add", x, y);
  }

  sub(x: Value, y: Value): Value {
    return this.binary("sub", x, y);
  }

  mul(x: Value, y: Value): Value {
    return this.binary("mul", x, y);
  }

  /** x times a number; 1 changes nothing and makes no op. */
  scale(x: Value, by: number): Value {
    return by === 1 ? x : this.mul(x, this.scalar(by, x));
  }

  compare(fn: CompareName, x: Value, y: Value): Value {
    return this.op("compare", [x, y], { fn });
  }

  where(condition: Value, x: Value, y: Value): Value {
    return this.op("where", [condition, x, y]);
  }

  clip(x: Value, bounds: { min?: number; max?: number }): Value {
    return this.op("clip", [x], bounds);
  }

  matmul(x: Value, y: Value, attrs: { transposeB?: boolean } = {}): Value {
    return this.op("matmul", [x, y], attrs);
  }

  softmax(x: Value, axis = -1): Value {
    return this.op("softmax", [x], { axis });
  }

  /** The reduced axes stay, as 1. */
  reduce(fn: "sum" | "mean" | "max" | "min", x: Value, axes: readonly number[]): Value {
    return this.op("reduce", [x], { fn, axes });
  }

  cumsum(x: Value, axis: number, attrs: { exclusive?: boolean } = {}): Value {
    return this.op("cumsum", [x], { axis, ...attrs });
  }

  topk(x: Value, k: number): { values: Value; ids: Value } {
    const [values, ids] = this.ops("topk", [x], { k });
    return { values: values!, ids: ids! };
  }

  /** All axes replaced, or the `last` ones only. */
  reshape(x: Value, to: readonly Dim[], last?: number): Value {
    return this.op("reshape", [x], { to, last });
  }

  /** The last `perm.length` axes in another order. */
  transpose(x: Value, perm: readonly number[]): Value {
    return this.op("transpose", [x], { perm });
  }

  expand(x: Value, to: readonly Dim[]): Value {
    return this.op("expand", [x], { to });
  }

  concat(xs: readonly Value[], axis = -1): Value {
    return this.op("concat", xs, { axis });
  }

  split(x: Value, sizes: readonly number[], axis = -1): readonly Value[] {
    return this.ops("split", [x], { axis, sizes });
  }

  slice(x: Value, axis: number, start: Dim, end: Dim, step?: number): Value {
    return this.op("slice", [x], { axis, start, end, step });
  }

  pad(x: Value, axis: number, attrs: { before: Dim; after: Dim; value: number }): Value {
    return this.op("pad", [x], { axis, ...attrs });
  }

  gather(x: Value, ids: Value, attrs: { axis?: number; along?: boolean } = {}): Value {
    return this.op("gather", [x, ids], { axis: 0, ...attrs });
  }

  scatter(x: Value, ids: Value, updates: Value, negative: "drop" | "wrap" = "drop"): Value {
    return this.op("scatter", [x, ids, updates], { negative });
  }

  /** A number in the dtype of `beside`. */
  scalar(value: number, beside: Value): Value {
    const { dtype } = beside.type;
    return this.constant(value, dtype as "f32" | "f16" | "bf16" | "i32");
  }
}
