import type { DType, TypedArray } from "../dtype.ts";
import { sizeOf } from "../tensor.ts";
import { copyBox } from "./copy-box.ts";
import { allocate, type Loader, type Take } from "./loader.ts";
import { type Region, stridesOf } from "./region.ts";

/** Loaders that only look elsewhere: no value changes. */

export function sliceLoader(of: Loader, axis: number, start: number, end: number): Loader {
  return {
    ...of,
    shape: of.shape.with(axis, end - start),
    load: (region, dtype, take) =>
      of.load({ ...region, start: region.start.with(axis, region.start[axis]! + start) }, dtype, take),
  };
}

export function permuteLoader(of: Loader, perm: readonly number[]): Loader {
  const back = perm.map((_, axis) => perm.indexOf(axis));
  return {
    shape: perm.map((axis) => of.shape[axis]!),
    dtype: of.dtype,
    scattered: perm.at(-1) !== perm.length - 1 || of.scattered,
    load: async ({ start, size }, dtype, take = allocate) => {
      const inner = { start: back.map((axis) => start[axis]!), size: back.map((axis) => size[axis]!) };
      const data = await of.load(inner, dtype);
      const strides = stridesOf(inner.size);
      const out = take(dtype, data.length);
      copyBox(
        size,
        { data, offset: 0, strides: perm.map((axis) => strides[axis]!) },
        { data: out, offset: 0, strides: stridesOf(size) },
      );
      return out;
    },
  };
}

export function concatLoader(parts: readonly Loader[], axis: number): Loader {
  const ends: number[] = [];
  for (const { shape } of parts) ends.push((ends.at(-1) ?? 0) + shape[axis]!);
  const dtype = commonDType(parts);
  return {
    shape: parts[0]!.shape.with(axis, ends.at(-1)!),
    dtype,
    scattered: parts.some((part) => part.scattered),
    load: async (region, as, take = allocate) => {
      const first = region.start[axis]!;
      const end = first + region.size[axis]!;
      const strides = stridesOf(region.size);
      let out: TypedArray | undefined;
      for (const [i, part] of parts.entries()) {
        const begin = ends[i]! - part.shape[axis]!;
        const from = Math.max(first, begin);
        const count = Math.min(end, ends[i]!) - from;
        if (count <= 0) continue;
        const size = region.size.with(axis, count);
        const box = { start: region.start.with(axis, from - begin), size };
        if (count === region.size[axis]) return part.load(box, as, take);
        const data = await part.load(box, as);
        out ??= take(as, sizeOf(region.size));
        const target = { data: out, offset: (from - first) * strides[axis]!, strides };
        copyBox(size, { data, offset: 0, strides: stridesOf(size) }, target);
      }
      return out ?? take(as, 0);
    },
  };
}

export function stackLoader(parts: readonly Loader[]): Loader {
  const grown = parts.map<Loader>((part) => ({
    ...part,
    shape: [1, ...part.shape],
    load: ({ start, size }: Region, dtype: DType, take?: Take) =>
      part.load({ start: start.slice(1), size: size.slice(1) }, dtype, take),
  }));
  return concatLoader(grown, 0);
}

/** What all parts can become without loss, or fp32. */
function commonDType(parts: readonly Loader[]): DType {
  const [first, ...rest] = parts;
  return rest.every(({ dtype }) => dtype === first!.dtype) ? first!.dtype : "f32";
}
