import { DTYPES, type DType, type TypedArray } from "@llm/tensor";

/** Numbers as a dtype's array; what a half can't hold is rounded to the nearest it can. */
export function encodeNumbers(dtype: DType, values: readonly number[]): TypedArray {
  if (dtype === "i64") return BigInt64Array.from(values, (value) => BigInt(value));
  if (dtype === "f16") return new Uint16Array(Float16Array.from(values).buffer);
  if (dtype === "bf16") return Uint16Array.from(values, toBfloat16);
  const array = new DTYPES[dtype].array(new ArrayBuffer(values.length * DTYPES[dtype].bytes));
  values.forEach((value, index) => {
    (array as Float32Array)[index] = value;
  });
  return array;
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The upper half of a float32, rounded to the nearest even. */
function toBfloat16(value: number): number {
  float[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  return (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16;
}
