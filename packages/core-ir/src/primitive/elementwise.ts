import type { Tensor } from "@llm/tensor";
import { erf, sigmoid } from "../decoder/functions.ts";
import { shardBinary, shardEntrywise } from "../mesh/rules/entrywise.ts";
import { op } from "../op-def.ts";
import { choice, number, optional, schema } from "../schema.ts";
import { broadcast, wantDType, wantFloat, wantSameDType } from "../shape.ts";
import { bool, f32, floats, i32, ints, like } from "../values.ts";
import { stretch } from "./strides.ts";

const UNARY = {
  neg: (x: number) => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x: number) => 1 / Math.sqrt(x),
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  sigmoid,
  floor: Math.floor,
};

const BINARY = {
  add: (x: number, y: number) => x + y,
  sub: (x: number, y: number) => x - y,
  mul: (x: number, y: number) => x * y,
  div: (x: number, y: number) => x / y,
  pow: (x: number, y: number) => x ** y,
  max: (x: number, y: number) => (Number.isNaN(x) || x > y ? x : y),
  min: (x: number, y: number) => (Number.isNaN(x) || x < y ? x : y),
  /** The remainder has the divisor's sign, as in Python. */
  mod: (x: number, y: number) => x - Math.floor(x / y) * y,
  /** Integers: rounded towards −∞. */
  floordiv: (x: number, y: number) => Math.floor(x / y),
  and: (x: number, y: number) => x & y,
  or: (x: number, y: number) => x | y,
};

const COMPARE = {
  eq: (x: number, y: number) => x === y,
  ne: (x: number, y: number) => x !== y,
  lt: (x: number, y: number) => x < y,
  le: (x: number, y: number) => x <= y,
  gt: (x: number, y: number) => x > y,
  ge: (x: number, y: number) => x >= y,
};

export type UnaryName = keyof typeof UNARY;
export type BinaryName = keyof typeof BINARY;
export type CompareName = keyof typeof COMPARE;

const names = <T extends object>(table: T): readonly (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

export const unary = op({
  doc: "A function of each value.",
  operands: ["x"],
  attrs: schema({ fn: choice(...names(UNARY)) }),
  infer([x], { fn }) {
    if (fn !== "neg" && fn !== "abs") wantFloat(x!, "x");
    return [x!];
  },
  eval: ([x], { fn }) =>
    x!.dtype === "i32"
      ? [i32(x!.shape, (ints(x!) as Int32Array).map(UNARY[fn]))]
      : [f32(x!.shape, floats(x!).map(UNARY[fn]))],
  shard: shardEntrywise,
});

export const binary = op({
  doc: "A function of two values; shapes broadcast.",
  operands: ["x", "y"],
  attrs: schema({ fn: choice(...names(BINARY)) }),
  infer([x, y], { fn }) {
    wantSameDType([x!, y!], ["x", "y"]);
    if (fn === "and" || fn === "or") wantDType(x!, "x", "bool");
    else wantDType(x!, "x", "f32", "f16", "bf16", "f64", "i32", "i64");
    if (fn === "floordiv") wantDType(x!, "x", "i32", "i64");
    return [{ dtype: x!.dtype, shape: broadcast(x!.shape, y!.shape) }];
  },
  eval([x, y], { fn }) {
    const out = like(x!, broadcast(x!.shape, y!.shape) as number[]);
    const integer = x!.dtype === "i32" && fn === "div";
    zip(x!, y!, out, (a, b) => (integer ? Math.trunc(a / b) : BINARY[fn](a, b)));
    return [out];
  },
  shard: shardBinary,
});

export const compare = op({
  doc: "Whether a relation holds; shapes broadcast.",
  operands: ["x", "y"],
  attrs: schema({ fn: choice(...names(COMPARE)) }),
  infer([x, y]) {
    wantSameDType([x!, y!], ["x", "y"]);
    return [{ dtype: "bool", shape: broadcast(x!.shape, y!.shape) }];
  },
  eval([x, y], { fn }) {
    const out = bool(broadcast(x!.shape, y!.shape) as number[]);
    zip(x!, y!, out, (a, b) => Number(COMPARE[fn](a, b)));
    return [out];
  },
});

export const where = op({
  doc: "x where the condition holds, y elsewhere; shapes broadcast.",
  operands: ["condition", "x", "y"],
  attrs: schema({}),
  infer([condition, x, y]) {
    wantDType(condition!, "condition", "bool");
    wantSameDType([x!, y!], ["x", "y"]);
    return [{ dtype: x!.dtype, shape: broadcast(condition!.shape, broadcast(x!.shape, y!.shape)) }];
  },
  eval([condition, x, y]) {
    const shape = broadcast(condition!.shape, broadcast(x!.shape, y!.shape)) as number[];
    const out = like(x!, shape);
    const [c, a, b] = [condition!, x!, y!].map((t) => stretch(t, shape)) as [Int32Array, Int32Array, Int32Array];
    for (let i = 0; i < out.data.length; i++) out.data[i] = condition!.data[c[i]!] ? x!.data[a[i]!]! : y!.data[b[i]!]!;
    return [out];
  },
});

export const clip = op({
  doc: "Values held between min and max.",
  operands: ["x"],
  attrs: schema({ min: optional(number), max: optional(number) }),
  infer([x]) {
    wantDType(x!, "x", "f32", "f16", "bf16", "f64", "i32");
    return [x!];
  },
  eval([x], { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) {
    const out = like(x!, x!.shape);
    for (let i = 0; i < out.data.length; i++) out.data[i] = Math.min(Math.max(x!.data[i] as number, min), max);
    return [out];
  },
  shard: shardEntrywise,
});

/** fn over two broadcast tensors. */
function zip(x: Tensor, y: Tensor, out: Tensor, fn: (a: number, b: number) => number): void {
  const [px, py] = [stretch(x, out.shape), stretch(y, out.shape)];
  for (let i = 0; i < out.data.length; i++) out.data[i] = fn(x.data[px[i]!] as number, y.data[py[i]!] as number);
}
