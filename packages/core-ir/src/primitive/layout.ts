import { sizeOf, type Tensor } from "@llm/tensor";
import { type Dim, dimAdd, dimProduct, dimSub } from "../dim.ts";
import type { Type } from "../graph.ts";
import { shardAlong, shardReshape } from "../mesh/rules/layout.ts";
import { op } from "../op-def.ts";
import { dim, dims, integer, integers, number, optional, schema } from "../schema.ts";
import { axisOf, broadcast, check, sameShape, typeText, wantSameDType, withShape } from "../shape.ts";
import { like, stridesOf } from "../values.ts";
import { stretch, walk } from "./strides.ts";

/** The shape after replacing the last `last` axes (all, when absent) by `to`. */
function reshaped(x: Type, last: number | undefined, to: readonly Dim[]): readonly Dim[] {
  const keep = last === undefined ? 0 : x.shape.length - last;
  check(keep >= 0, () => `x is ${typeText(x)} and has no ${last} last axes`);
  const from = x.shape.slice(keep);
  check(
    dimProduct(from) === dimProduct(to),
    () => `[${from.join(", ")}] has ${dimProduct(from)} elements, [${to.join(", ")}] has ${dimProduct(to)}`,
  );
  return [...x.shape.slice(0, keep), ...to];
}

export const reshape = op({
  doc: "Other axes over the same elements; with `last`, only that many last axes are replaced.",
  operands: ["x"],
  attrs: schema({ to: dims, last: optional(integer(0)) }),
  infer: ([x], { last, to }) => [withShape(x!, reshaped(x!, last, to))],
  eval: ([x], { last, to }) => [{ ...x!, shape: reshaped(x! as Type, last, to) as number[] }],
  shard: shardReshape,
});

/** `perm` for the last axes, extended to all. */
function fullPerm(perm: readonly number[], rank: number): number[] {
  const keep = rank - perm.length;
  check(
    keep >= 0 && [...perm].sort((a, b) => a - b).every((p, i) => p === i),
    () => `[${perm}] permutes no ${rank} axes`,
  );
  return [...Array(keep).keys(), ...perm.map((p) => p + keep)];
}

export const transpose = op({
  doc: "Axes in another order; a shorter permutation is of the last axes.",
  operands: ["x"],
  attrs: schema({ perm: integers }),
  infer: ([x], { perm }) => [
    withShape(
      x!,
      fullPerm(perm, x!.shape.length).map((p) => x!.shape[p]!),
    ),
  ],
  eval([x], { perm }) {
    const full = fullPerm(perm, x!.shape.length);
    const shape = full.map((p) => x!.shape[p]!);
    const strides = stridesOf(x!.shape);
    const out = like(x!, shape);
    const at = walk(
      shape,
      full.map((p) => strides[p]!),
    );
    for (let i = 0; i < at.length; i++) out.data[i] = x!.data[at[i]!]!;
    return [out];
  },
});

export const expand = op({
  doc: "Axes of 1 stretched, and new leading axes, by numpy's rule.",
  operands: ["x"],
  attrs: schema({ to: dims }),
  infer([x], { to }) {
    check(sameShape(broadcast(x!.shape, to), to), () => `${typeText(x!)} doesn't expand to [${to.join(", ")}]`);
    return [withShape(x!, to)];
  },
  eval([x], { to }) {
    const out = like(x!, to as readonly number[]);
    const at = stretch(x!, out.shape);
    for (let i = 0; i < out.data.length; i++) out.data[i] = x!.data[at[i]!]!;
    return [out];
  },
});

export const concat = op({
  doc: "Tensors one after another along an axis.",
  operands: ["...xs"],
  attrs: schema({ axis: integer() }),
  infer(xs, { axis }) {
    const first = xs[0]!;
    const along = axisOf(axis, first.shape.length);
    wantSameDType(
      xs,
      xs.map((_, i) => `operand ${i}`),
    );
    for (const x of xs)
      check(
        x!.shape.length === first.shape.length && x!.shape.every((d, i) => i === along || d === first.shape[i]),
        () => `${typeText(x!)} and ${typeText(first)} differ off axis ${axis}`,
      );
    return [withShape(first, first.shape.with(along, xs.map((x) => x!.shape[along]!).reduce(dimAdd)))];
  },
  eval(xs, { axis }) {
    const first = xs[0]!;
    const along = axisOf(axis, first.shape.length);
    const total = xs.reduce((sum, x) => sum + x!.shape[along]!, 0);
    const out = like(first, first.shape.with(along, total));
    const inner = sizeOf(first.shape.slice(along + 1));
    let start = 0;
    for (const x of xs) {
      const run = x!.shape[along]! * inner;
      for (let o = 0; o * run < x!.data.length; o++) copy(x!, o * run, run, out, o * total * inner + start);
      start += run;
    }
    return [out];
  },
  shard: shardAlong,
});

export const split = op({
  doc: "Pieces along an axis.",
  operands: ["x"],
  attrs: schema({ axis: integer(), sizes: integers }),
  infer([x], { axis, sizes }) {
    const along = axisOf(axis, x!.shape.length);
    const total = sizes.reduce((a, b) => a + b, 0);
    check(x!.shape[along] === total, () => `x is ${typeText(x!)}, sizes add up to ${total}`);
    return sizes.map((size) => withShape(x!, x!.shape.with(along, size)));
  },
  eval([x], { axis, sizes }) {
    const along = axisOf(axis, x!.shape.length);
    let start = 0;
    return sizes.map((size) => cut(x!, along, (start += size) - size, size, 1));
  },
  shard: shardAlong,
});

export const slice = op({
  doc: "Elements [start, end) of an axis, every `step`th.",
  operands: ["x"],
  attrs: schema({ axis: integer(), start: dim, end: dim, step: optional(integer(1)) }),
  infer([x], { axis, start, end, step = 1 }) {
    const along = axisOf(axis, x!.shape.length);
    const length = dimSub(end, start);
    check(typeof length !== "number" || length >= 0, () => `the slice [${start}, ${end}) is empty`);
    const [size, from, to] = [x!.shape[along]!, start, end];
    if (typeof size === "number" && typeof from === "number" && typeof to === "number")
      check(from >= 0 && to <= size, () => `[${from}, ${to}) is not in an axis of ${size}`);
    check(step === 1 || typeof length === "number", () => "a step needs a slice of known length");
    return [withShape(x!, x!.shape.with(along, step === 1 ? length : Math.ceil((length as number) / step)))];
  },
  eval([x], { axis, start, end, step = 1 }) {
    const length = Math.ceil(((end as number) - (start as number)) / step);
    return [cut(x!, axisOf(axis, x!.shape.length), start as number, length, step)];
  },
});

export const pad = op({
  doc: "A constant before and after an axis.",
  operands: ["x"],
  attrs: schema({ axis: integer(), before: dim, after: dim, value: number }),
  infer([x], { axis, before, after }) {
    const along = axisOf(axis, x!.shape.length);
    return [withShape(x!, x!.shape.with(along, dimAdd(dimAdd(x!.shape[along]!, before), after)))];
  },
  eval([x], { axis, before, after, value }) {
    const along = axisOf(axis, x!.shape.length);
    const length = x!.shape[along]!;
    const total = length + (before as number) + (after as number);
    const out = like(x!, x!.shape.with(along, total));
    out.data.fill(value as never);
    const inner = sizeOf(x!.shape.slice(along + 1));
    for (let o = 0; o * length * inner < x!.data.length; o++)
      copy(x!, o * length * inner, length * inner, out, (o * total + (before as number)) * inner);
    return [out];
  },
});

function cut(x: Tensor, axis: number, start: number, count: number, step: number): Tensor {
  const out = like(x, x.shape.with(axis, count));
  const inner = sizeOf(x.shape.slice(axis + 1));
  for (let o = 0, to = 0; to < out.data.length; o++)
    for (let i = 0; i < count; i++, to += inner)
      copy(x, (o * x.shape[axis]! + start + i * step) * inner, inner, out, to);
  return out;
}

function copy(from: Tensor, at: number, length: number, to: Tensor, start: number): void {
  to.data.set(from.data.subarray(at, at + length) as never, start);
}
