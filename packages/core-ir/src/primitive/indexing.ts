import { DTYPES, sizeOf, type Tensor } from "@llm/tensor";
import { op } from "../op-def.ts";
import { roundTo } from "../rounding.ts";
import { boolean, choice, dim, integer, optional, schema } from "../schema.ts";
import { axisOf, check, sameShape, typeText, wantDType, wantSameDType, withShape } from "../shape.ts";
import { f32, i32, ints, like, stridesOf } from "../values.ts";

export const iota = op({
  doc: "0, 1, 2 … up to a size.",
  operands: [],
  attrs: schema({ size: dim }),
  infer: (_, { size }) => [{ dtype: "i32", shape: [size] }],
  eval: (_, { size }) => [
    i32(
      [size as number],
      Int32Array.from({ length: size as number }, (_x, i) => i),
    ),
  ],
});

export const cast = op({
  doc: "The same values as another dtype: floats round to nearest even, to integers they truncate.",
  operands: ["x"],
  attrs: schema({ to: choice("f32", "f16", "bf16", "i32", "i64", "bool") }),
  infer: ([x], { to }) => [{ dtype: to, shape: x!.shape }],
  eval([x], { to }) {
    if (DTYPES[to].float) return [f32(x!.shape, roundTo(to, Float32Array.from(x!.data as ArrayLike<number>)))];
    if (to === "bool")
      return [{ dtype: "bool", shape: x!.shape, data: Uint8Array.from(x!.data as never, Boolean as never) }];
    return [i32(x!.shape, Int32Array.from(x!.data as ArrayLike<number>))];
  },
});

export const gather = op({
  doc: "Elements of an axis by index: whole slices, or, along, one value for each index.",
  operands: ["x", "ids"],
  attrs: schema({ axis: integer(), along: optional(boolean) }),
  infer([x, ids], { axis, along = false }) {
    wantDType(ids!, "ids", "i32", "i64");
    const at = axisOf(axis, x!.shape.length);
    const { shape } = x!;
    if (!along) return [withShape(x!, [...shape.slice(0, at), ...ids!.shape, ...shape.slice(at + 1)])];
    check(
      ids!.shape.length === shape.length && ids!.shape.every((d, i) => i === at || d === shape[i]),
      () => `ids are ${typeText(ids!)}, x is ${typeText(x!)}: off axis ${axis} they must be alike`,
    );
    return [withShape(x!, ids!.shape)];
  },
  eval([x, ids], { axis, along = false }) {
    const at = axisOf(axis, x!.shape.length);
    const size = x!.shape[at]!;
    const inner = sizeOf(x!.shape.slice(at + 1));
    const index = (i: number) => {
      const id = ints(ids!)[i]!;
      if (id < 0 || id >= size) throw new RangeError(`index ${id} is not in an axis of ${size}`);
      return id;
    };
    if (along) {
      const out = like(x!, ids!.shape);
      const span = ids!.shape[at]! * inner;
      for (let i = 0; i < out.data.length; i++)
        out.data[i] = x!.data[(Math.floor(i / span) * size + index(i)) * inner + (i % inner)]!;
      return [out];
    }
    const count = sizeOf(ids!.shape);
    const out = like(x!, [...x!.shape.slice(0, at), ...ids!.shape, ...x!.shape.slice(at + 1)]);
    for (let o = 0; o < sizeOf(x!.shape.slice(0, at)); o++)
      for (let i = 0; i < count; i++) copy(x!, (o * size + index(i)) * inner, inner, out, (o * count + i) * inner);
    return [out];
  },
});

export const scatter = op({
  doc: "x with updates written at indices of its first axes (the ids' last axis); a negative index drops its update or counts from the end.",
  operands: ["x", "ids", "updates"],
  attrs: schema({ negative: choice("drop", "wrap") }),
  infer([x, ids, updates]) {
    wantDType(ids!, "ids", "i32", "i64");
    wantSameDType([x!, updates!], ["x", "updates"]);
    const depth = ids!.shape.at(-1);
    check(
      typeof depth === "number" && depth >= 1 && depth <= x!.shape.length,
      () => `ids are ${typeText(ids!)}: their last axis must index 1 to ${x!.shape.length} axes`,
    );
    const wanted = [...ids!.shape.slice(0, -1), ...x!.shape.slice(depth)];
    check(
      sameShape(updates!.shape, wanted),
      () => `updates are ${typeText(updates!)} and must be [${wanted.join(", ")}]`,
    );
    return [x!];
  },
  eval([x, ids, updates], { negative }) {
    const depth = ids!.shape.at(-1)!;
    const inner = sizeOf(x!.shape.slice(depth));
    const strides = stridesOf(x!.shape);
    const out = like(x!, x!.shape);
    copy(x!, 0, x!.data.length, out, 0);
    for (let u = 0; u < ints(ids!).length / depth; u++) {
      let at = 0;
      let dropped = false;
      for (let a = 0; a < depth; a++) {
        const id = ints(ids!)[u * depth + a]!;
        const size = x!.shape[a]!;
        if (id >= size || id < -size) throw new RangeError(`index ${id} is not in an axis of ${size}`);
        if (id < 0 && negative === "drop") dropped = true;
        at += (id < 0 ? id + size : id) * strides[a]!;
      }
      if (!dropped) copy(updates!, u * inner, inner, out, at);
    }
    return [out];
  },
});

function copy(from: Tensor, at: number, length: number, to: Tensor, start: number): void {
  to.data.set(from.data.subarray(at, at + length) as never, start);
}
