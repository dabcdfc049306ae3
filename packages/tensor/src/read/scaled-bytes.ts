import { convertData } from "../convert.ts";
import { DTYPES, type DType } from "../dtype.ts";
import { TensorError } from "../error.ts";
import { minifloat } from "../formats/minifloat.ts";
import type { StoredTensor, WeightSource } from "../source.ts";
import { plainReader } from "./flat-reader.ts";
import { allocate, type Loader } from "./loader.ts";
import { stridedLoader } from "./strided.ts";

/** Values of FP8 (E4M3) by their bytes; the format has no infinities, and one NaN of each sign. */
export const F8_E4M3: Float32Array = minifloat(4, 3, 7).values.map((value, code) =>
  (code & 0x7f) === 0x7f ? Number.NaN : value,
);

/** Boxes of an FP8 weight: each byte's value, times the scale of its tile where tiles have scales. */
export function scaledBytesLoader(stored: StoredTensor, source: WeightSource): Loader {
  const bytes: StoredTensor = { ...stored, format: "u8" };
  const codes = stridedLoader(bytes, plainReader(bytes, "u8", source));
  const scales = stored.parts.scales && tileScales(stored, source);
  return {
    ...codes,
    dtype: "f32",
    load: async (region, dtype, take = allocate) => {
      const box = (await codes.load(region, "u8")) as Uint8Array;
      const values = take("f32", box.length) as Float32Array;
      for (let i = 0; i < box.length; i++) values[i] = F8_E4M3[box[i]!]!;
      if (scales) await scales(values, region.start as [number, number], region.size as [number, number]);
      return convertData(values, "f32", dtype, undefined, take);
    },
  };
}

/** Multiplies a box of a matrix by the scales of the tiles that it touches. */
function tileScales(stored: StoredTensor, source: WeightSource) {
  const { shape, params = {}, name } = stored;
  const { tileRows, tileColumns, scales: dtype } = params;
  const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
  if (shape.length !== 2 || stored.strides || !isSize(tileRows) || !isSize(tileColumns) || !isDtype(dtype))
    throw new TensorError("stored-invalid", `${name}: a tensor of ${stored.format} without its tiles' size and dtype`);
  const tiles = [Math.ceil(shape[0]! / tileRows), Math.ceil(shape[1]! / tileColumns)];
  const data = stored.parts.scales!;
  const plain: StoredTensor = { name: `${name} (scales)`, shape: tiles, format: dtype, parts: { data } };
  const all = stridedLoader(plain, plainReader(plain, dtype, source));
  return async (values: Float32Array, [row, column]: readonly number[], [rows, columns]: readonly number[]) => {
    const first = [Math.floor(row! / tileRows), Math.floor(column! / tileColumns)];
    const end = [Math.ceil((row! + rows!) / tileRows), Math.ceil((column! + columns!) / tileColumns)];
    const size = end.map((to, axis) => to - first[axis]!);
    const scales = (await all.load({ start: first, size }, "f32")) as Float32Array;
    for (let r = 0, at = 0; r < rows!; r++) {
      const line = (Math.floor((row! + r) / tileRows) - first[0]!) * size[1]!;
      for (let c = 0; c < columns!; c++, at++)
        values[at]! *= scales[line + Math.floor((column! + c) / tileColumns) - first[1]!]!;
    }
  };
}

function isDtype(name: unknown): name is DType {
  return typeof name === "string" && Object.hasOwn(DTYPES, name);
}
