import { DTYPES, type DType, type TypedArray } from "./dtype.ts";
import { TensorError } from "./error.ts";
import { bf16ToF32, convertHalves, f16ToF32, type Loss, toBf16, toF16 } from "./half.ts";
import type { Tensor } from "./tensor.ts";

/**
 * A tensor as another dtype: exact where that is possible, else the nearest float, ties to even. What overflows becomes
 * infinite and is counted in `loss`; integers never wrap or lose a fraction, they refuse, and so does an i64 that not even a
 * double can hold.
 */
export function convert(tensor: Tensor, dtype: DType, loss?: Loss): Tensor {
  if (tensor.dtype === dtype) return tensor;
  return { dtype, shape: tensor.shape, data: convertData(tensor.data, tensor.dtype, dtype, loss) };
}

/** The same for bare data; the same array where there is nothing to do. */
export function convertData(data: TypedArray, from: DType, to: DType, loss?: Loss, take: Take = fresh): TypedArray {
  if (from === to) return data;
  if ((from === "f16" || from === "bf16") && (to === "f16" || to === "bf16"))
    return convertHalves(from, to, data as Uint16Array, take(to, data.length) as Uint16Array, loss);
  const floats = DTYPES[from].float;
  if (DTYPES[to].float) return writeFloats(floats ? readFloats(data, from, take) : toDoubles(data), to, loss, take);
  const values = floats ? readFloats(data, from) : data;
  return to === "i64" ? toI64(values) : toInts(values, to);
}

/** Where the result's memory comes from. */
type Take = (dtype: DType, count: number) => TypedArray;

function fresh(dtype: DType, count: number): TypedArray {
  const { array, bytes } = DTYPES[dtype];
  return new array(new ArrayBuffer(count * bytes));
}

/** A float tensor's values, fp32 unless it holds doubles. */
function readFloats(data: TypedArray, dtype: DType, take: Take = fresh): Float32Array | Float64Array {
  if (dtype === "f16") return f16ToF32(data as Uint16Array, take("f32", data.length) as Float32Array);
  if (dtype === "bf16") return bf16ToF32(data as Uint16Array, take("f32", data.length) as Float32Array);
  return data as Float32Array | Float64Array;
}

function writeFloats(
  values: Float32Array | Float64Array,
  dtype: DType,
  loss: Loss | undefined,
  take: Take,
): TypedArray {
  if (dtype === "f16") return toF16(values, take("f16", values.length) as Uint16Array, loss);
  if (dtype === "bf16") return toBf16(values, take("bf16", values.length) as Uint16Array, loss);
  if (dtype === "f64") return values instanceof Float64Array ? values : new Float64Array(values);
  if (values instanceof Float32Array) return values;
  const rounded = new Float32Array(values);
  if (loss)
    for (let i = 0; i < values.length; i++)
      if (Number.isFinite(values[i]!) && !Number.isFinite(rounded[i]!)) loss.overflowed++;
  return rounded;
}

/** Integers on their way to a float: rounding twice could miss the nearest, so the first time must be exact. */
function toDoubles(data: TypedArray): Float64Array {
  return Float64Array.from(data as ArrayLike<number | bigint>, (value) => {
    const double = Number(value);
    if (typeof value === "bigint" && BigInt(double) !== value) throw cannotHold("f64", value);
    return double;
  });
}

function toI64(values: TypedArray): BigInt64Array {
  return BigInt64Array.from(values as ArrayLike<number>, (value) => {
    // A BigInt64Array would take what is too large modulo 2⁶⁴.
    if (!Number.isInteger(value) || value < -(2 ** 63) || value >= 2 ** 63) throw cannotHold("i64", value);
    return BigInt(value);
  });
}

function toInts(values: TypedArray, dtype: DType): TypedArray {
  const { array, bytes } = DTYPES[dtype];
  const ints = new array(new ArrayBuffer(values.length * bytes)) as Int32Array;
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]!);
    ints[i] = value;
    if (ints[i] !== value || (dtype === "bool" && value > 1)) throw cannotHold(dtype, values[i]!);
  }
  return ints;
}

function cannotHold(dtype: DType, value: number | bigint): TensorError {
  return new TensorError("value", `${value} can't be held by ${dtype}`);
}
