import { sizeOf, type Tensor } from "@llm/tensor";
import { encode16 } from "./rounding.ts";

/** The data of a float tensor inside the interpreter, where every float is an f32 array. */
export function floats(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  throw new TypeError(`a tensor of ${t.dtype} reached a float loop`);
}

/** The data of an i32 or bool tensor. */
export function ints(t: Tensor): Int32Array | Uint8Array {
  if (t.data instanceof Int32Array || t.data instanceof Uint8Array) return t.data;
  throw new TypeError(`a tensor of ${t.dtype} reached an integer loop`);
}

export function f32(shape: readonly number[], data: Float32Array = new Float32Array(sizeOf(shape))): Tensor {
  return { dtype: "f32", shape, data };
}

export function i32(shape: readonly number[], data: Int32Array = new Int32Array(sizeOf(shape))): Tensor {
  return { dtype: "i32", shape, data };
}

export function bool(shape: readonly number[], data: Uint8Array = new Uint8Array(sizeOf(shape))): Tensor {
  return { dtype: "bool", shape, data };
}

/** An empty tensor of the same dtype, for ops that move values without looking at them. */
export function like(t: Tensor, shape: readonly number[]): Tensor {
  const make = t.data.constructor as new (length: number) => Tensor["data"];
  return { dtype: t.dtype, shape, data: new make(sizeOf(shape)) };
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** A tensor of one number, without axes. */
export function scalar(value: number, dtype: "f32" | "f16" | "bf16" | "i32" | "bool"): Tensor {
  switch (dtype) {
    case "f32":
      return f32([], Float32Array.of(value));
    case "f16":
    case "bf16":
      return { dtype, shape: [], data: encode16(dtype, Float32Array.of(value)) };
    case "i32":
      return i32([], Int32Array.of(value));
    case "bool":
      return bool([], Uint8Array.of(value ? 1 : 0));
  }
}
