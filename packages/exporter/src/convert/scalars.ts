import { DTYPES, type DType, numberToBf16, type TypedArray } from "@llm/tensor";

/** Numbers as a dtype's array; what a half can't hold is rounded to the nearest it can. */
export function encodeNumbers(dtype: DType, values: readonly number[]): TypedArray {
  if (dtype === "i64") return BigInt64Array.from(values, (value) => BigInt(value));
  if (dtype === "f16") return new Uint16Array(Float16Array.from(values).buffer);
  if (dtype === "bf16") return Uint16Array.from(values, numberToBf16);
  const array = new DTYPES[dtype].array(new ArrayBuffer(values.length * DTYPES[dtype].bytes));
  values.forEach((value, index) => {
    (array as Float32Array)[index] = value;
  });
  return array;
}
