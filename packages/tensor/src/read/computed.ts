import { convertData } from "../convert.ts";
import type { DType, TypedArray } from "../dtype.ts";
import { sizeOf } from "../tensor.ts";
import { copyBox } from "./copy-box.ts";
import { allocate, type Loader } from "./loader.ts";
import { boxesInOrder, stridesOf } from "./region.ts";

/** Elements that are worked on at a time. */
const AT_ONCE = 2 ** 20;

/** Values known at build time. */
export function constantLoader(dtype: DType, shape: readonly number[], values: readonly number[]): Loader {
  const data = convertData(Float64Array.from(values), "f64", dtype);
  return {
    shape,
    dtype,
    scattered: false,
    load: async ({ start, size }, as) => {
      const strides = stridesOf(shape);
      const out = allocate(dtype, sizeOf(size));
      const offset = start.reduce((sum, index, axis) => sum + index * strides[axis]!, 0);
      copyBox(size, { data, offset, strides }, { data: out, offset: 0, strides: stridesOf(size) });
      return convertData(out, dtype, as);
    },
  };
}

/** L2 norm of each row. */
export function rowNormLoader(of: Loader): Loader {
  const columns = of.shape.at(-1)!;
  return {
    shape: of.shape.slice(0, -1),
    dtype: "f32",
    scattered: of.scattered,
    load: async ({ start, size }, dtype) => {
      const norms = new Float32Array(sizeOf(size));
      let at = 0;
      for (const box of boxesInOrder(size, Math.max(1, Math.floor(AT_ONCE / Math.max(1, columns))))) {
        const rows = {
          start: [...box.start.map((index, axis) => index + start[axis]!), 0],
          size: [...box.size, columns],
        };
        const values = (await of.load(rows, "f32")) as Float32Array;
        const end = at + sizeOf(box.size);
        for (let row = 0; at < end; row++) norms[at++] = norm(values.subarray(row * columns, (row + 1) * columns));
      }
      return convertData(norms, "f32", dtype);
    },
  };
}

function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** Rounds whole rows in place. */
export type RoundRows = (values: Float32Array, rows: number, columns: number) => void;

/** Values as a format would give them back. Whole rows are rounded, since a block may be as long as a row. */
export function encodeLoader(of: Loader, round: RoundRows): Loader {
  const { shape } = of;
  const columns = shape.at(-1) ?? 1;
  return {
    ...of,
    dtype: "f32",
    load: async ({ start, size }, dtype) => {
      const out = allocate(dtype, sizeOf(size));
      const from = start.at(-1) ?? 0;
      const width = size.at(-1) ?? 1;
      let at = 0;
      for (const box of boxesInOrder(size.slice(0, -1), Math.max(1, Math.floor(AT_ONCE / Math.max(1, columns))))) {
        const rows = sizeOf(box.size);
        const whole = { start: box.start.map((index, axis) => index + start[axis]!), size: box.size };
        const region = shape.length === 0 ? whole : { start: [...whole.start, 0], size: [...whole.size, columns] };
        const values = (await of.load(region, "f32")) as Float32Array;
        round(values, rows, columns);
        const data: TypedArray = convertData(values, "f32", dtype);
        const target = { data: out, offset: at, strides: [width, 1] };
        copyBox([rows, width], { data, offset: from, strides: [columns, 1] }, target);
        at += rows * width;
      }
      return out;
    },
  };
}
