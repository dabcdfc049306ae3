import { shapeOf, weights } from "@llm/tensor";
import { attr } from "./attr.ts";
import type { EmittedOp, Emitter } from "./emitters.ts";
import type { EncodedExpr, Ref, TopWriter } from "./top-writer.ts";

/** Decoder ops that TOP has whole. */
export const decoderEmitters: Readonly<Record<string, Emitter>> = {
  linear: { emit: (op, top) => [linear(op, top)] },
  norm: {
    when: ({ attrs }) => ((attrs.axes as number | undefined) ?? 1) === 1,
    emit: (op, top) => [norm(op, top)],
  },
  embed: { emit: (op, top) => [embed(op, top)] },
  activation: {
    emit: ({ ins, attrs, shape, loc }, top) => [activate(top, attrs.fn as string, top.ref(ins[0]!), shape, loc)],
  },
  glu: {
    emit({ ins: [gate, up], attrs, shape, loc }, top) {
      const active = activate(top, attrs.fn as string, top.ref(gate!), shape, `${loc}.active`);
      return [top.op("Mul", [active, top.ref(up!)], shape, { loc })];
    },
  },
};

function linear({ ins: [x, w, bias = null], shape, loc }: EmittedOp, top: TopWriter): Ref {
  const expr = top.exprOf(w!);
  const right_transpose = attr.bool(true); // weights are [out, in]
  const first = top.ref(x!);
  if (expr?.op !== "encode") {
    const [rows, columns] = w!.type.shape as [number, number];
    const turned = top.weight(`${w!.id}.turned`, weights.permute(expr!, [1, 0]), { shape: [columns, rows] });
    // Of one row, the compiler takes a residual that is added to a product for its bias, and adds it once for each part when it
    // cuts an MLP in two: a product with a bias of its own, if of zeros, is left alone. For all rows, so that both nets of a
    // block have the same weights.
    const shift = bias ? top.ref(bias) : top.filled(0, rows);
    return top.op("MatMul", [first, turned, shift], shape, { loc });
  }
  const { bits, group } = widthOf(expr);
  const [rows, columns] = shapeOf(expr) as [number, number];
  const array = (name: string, part: "data" | "scales" | "zeros", dtype: "f32" | "u8", width: number) =>
    top.array({ name: `${w!.id}.${name}`, dtype, shape: [rows, width], from: { kind: "encoded", expr, part } });
  const parts = [
    array("codes", "data", "u8", (columns * bits) / 8),
    array("scales", "scales", "f32", columns / group),
    array("zeros", "zeros", "u8", columns / group),
  ];
  const attrs = { right_transpose, q_group_size: attr.i64(group), weight_bits: attr.i64(bits) };
  return top.op("A16MatMul", [first, ...parts, top.ref(bias)], shape, { loc, attrs });
}

/** Bits and group of a weight that is kept as this device keeps it. */
function widthOf({ format }: EncodedExpr): { readonly bits: 4 | 8; readonly group: number } {
  return { bits: format.format === "bm1684x_w4" ? 4 : 8, group: format.group ?? 64 };
}

function norm({ ins: [x, w = null, bias = null], attrs, shape, loc }: EmittedOp, top: TopWriter): Ref {
  const { kind, eps, plusOne = false } = attrs as { kind: "rms" | "layer"; eps: number; plusOne?: boolean };
  const scale = w && top.weight(w.id, top.exprOf(w)!, plusOne ? { plus: 1 } : {});
  const shift = bias && top.ref(bias);
  const whole = (scale ?? shift)?.shape.length === 1; // the same for all but the last axis
  const inner = {
    scale: whole ? scale : null,
    shift: whole && kind === "layer" ? shift : null,
  };
  const after = { scale: inner.scale ? null : scale, shift: inner.shift ? null : shift };
  const say = kind === "rms" ? rmsNorm : layerNorm;
  let y = say(top, top.ref(x!), inner, { shape, eps, loc: after.scale || after.shift ? `${loc}.normalised` : loc });
  if (after.scale) y = top.op("Mul", [y, after.scale], shape, { loc: after.shift ? `${loc}.scaled` : loc });
  if (after.shift) y = top.op("Add", [y, after.shift], shape, { loc });
  return y;
}

interface Affine {
  readonly scale: Ref | null;
  readonly shift: Ref | null;
}

interface Normed {
  readonly shape: readonly number[];
  readonly eps: number;
  readonly loc: string;
}

function rmsNorm(top: TopWriter, x: Ref, { scale }: Affine, { shape, eps, loc }: Normed): Ref {
  return top.op("RMSNorm", [x, scale ?? top.none()], shape, { loc, attrs: { eps: attr.f64(eps) } });
}

function layerNorm(top: TopWriter, x: Ref, { scale, shift }: Affine, { shape, eps, loc }: Normed): Ref {
  const width = shape.at(-1)!;
  return top.op("LayerNorm", [x, scale ?? top.filled(1, width), shift ?? top.none()], shape, {
    loc,
    attrs: { axis: attr.si32(shape.length - 1), normalized_shape: attr.i64s([width]), eps: attr.f64(eps) },
  });
}

/** Ids come from the session, which has none that are negative; a table that begins later is cut to where it does. */
function embed({ ins: [table, ids], attrs, shape, loc }: EmittedOp, top: TopWriter): Ref {
  const offset = (attrs.offset as number | undefined) ?? 0;
  const [rows, width] = table!.type.shape as [number, number];
  const from =
    offset === 0
      ? top.ref(table!)
      : top.weight(`${table!.id}.from_${offset}`, weights.slice(top.exprOf(table!)!, 0, offset, rows), {
          shape: [rows - offset, width],
        });
  return top.op("Gather", [from, top.index(ids!)], shape, { loc, attrs: { axis: attr.si32(0) } });
}

/** A function of each value; GELU by the formula that is asked for. */
export function activate(top: TopWriter, fn: string, x: Ref, shape: readonly number[], loc: string): Ref {
  switch (fn) {
    case "gelu":
      return top.op("GELU", [x], shape, { loc });
    case "gelu_tanh":
      return top.op("GELU", [x], shape, { loc, attrs: { approx_mode: attr.text("tanh") } });
    case "gelu_quick":
      return top.op("Swish", [x], shape, { loc, attrs: { beta: attr.f64(1.702) } });
    case "relu2": {
      const positive = top.op("Relu", [x], shape, { loc: `${loc}.relu` });
      return top.op("Mul", [positive, positive], shape, { loc });
    }
    default:
      return top.op(PLAIN[fn]!, [x], shape, { loc });
  }
}

const PLAIN: Readonly<Record<string, string>> = { relu: "Relu", silu: "SiLU", sigmoid: "Sigmoid", tanh: "Tanh" };
