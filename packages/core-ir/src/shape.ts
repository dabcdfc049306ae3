import type { DType } from "@llm/tensor";
import { type Dim, dimSub } from "./dim.ts";
import { GraphError } from "./error.ts";
import type { Type } from "./graph.ts";

/** A type in the text form: "f32[tokens, 48]". */
export function typeText(type: Type): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

/** A type with the same dtype and another shape. */
export function withShape(type: Type, shape: readonly Dim[]): Type {
  return { dtype: type.dtype, shape };
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

export function sameType(a: Type, b: Type): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** Throws a type error unless `holds`. */
export function check(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new GraphError("type", message());
}

/** The last `count` axes; an error names what has too few. */
export function trailing(type: Type, count: number, what: string): readonly Dim[] {
  check(type.shape.length >= count, () => `${what} has ${type.shape.length} axes and needs ${count}`);
  return type.shape.slice(type.shape.length - count);
}

/** All but the last `count` axes. */
export function leading(type: Type, count: number): readonly Dim[] {
  return type.shape.slice(0, type.shape.length - count);
}

/** `axis` counted from the front; negative ones count from the end. */
export function axisOf(axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  check(found >= 0 && found < rank, () => `axis ${axis} is not one of ${rank}`);
  return found;
}

export function wantShape(type: Type, shape: readonly Dim[], what: string): void {
  check(sameShape(type.shape, shape), () => `${what} is ${typeText(type)} and must be [${shape.join(", ")}]`);
}

export function wantDType(type: Type, what: string, ...dtypes: DType[]): void {
  check(dtypes.includes(type.dtype), () => `${what} is ${type.dtype} and must be ${dtypes.join(" or ")}`);
}

/** Floats of any width. */
export const FLOATS: readonly DType[] = ["f32", "f16", "bf16", "f64"];

export function wantFloat(type: Type, what: string): void {
  wantDType(type, what, ...FLOATS);
}

/** All float operands of one op have one dtype. */
export function wantSameDType(types: readonly (Type | null)[], names: readonly string[]): void {
  const first = types.findIndex((type) => type !== null);
  types.forEach((type, i) => {
    const expected = types[first];
    if (type && expected)
      check(
        type.dtype === expected.dtype,
        () => `${names[i]} is ${type.dtype}, ${names[first]} is ${expected.dtype}: cast one`,
      );
  });
}

/** numpy's rule: axes are aligned at the end, and 1 stretches. */
export function broadcast(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    check(
      x === y || x === 1 || y === 1,
      () => `[${a.join(", ")}] and [${b.join(", ")}] don't broadcast: ${x} and ${y}`,
    );
    return x === 1 ? y : x;
  });
}

/** Length of `start..end`. */
export function span(start: Dim, end: Dim): Dim {
  return dimSub(end, start);
}
