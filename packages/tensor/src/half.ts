import { type FastFloat, fastCodecs } from "./fast-codecs.ts";

/** Values that left a format's range: finite before, infinite after. Counted, so that nobody has to guess. */
export interface Loss {
  overflowed: number;
}

type Floats = Float32Array<ArrayBufferLike> | Float64Array<ArrayBufferLike>;

const f16 = new Float16Array(1);
const f16Bits = new Uint16Array(f16.buffer);
const f32 = new Float32Array(1);
const f32Bits = new Uint32Array(f32.buffer);

/** The value of fp16 bits; always exact. */
export function f16ToNumber(bits: number): number {
  f16Bits[0] = bits;
  return f16[0]!;
}

/** The bits of the fp16 number nearest to `value`, ties to even; infinity from 65520 on. There is one NaN only. */
export function numberToF16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  f16[0] = value;
  return f16Bits[0]!;
}

/** The value of bf16 bits; always exact. */
export function bf16ToNumber(bits: number): number {
  f32Bits[0] = bits << 16;
  return f32[0]!;
}

/** The bits of the bf16 number nearest to `value`, ties to even. */
export function numberToBf16(value: number): number {
  return bf16OfF32(f32BitsToOdd(value));
}

/** fp16 bits as values. */
export function f16ToF32(bits: Uint16Array, into: Float32Array = new Float32Array(bits.length)): Float32Array {
  if (converted("f16", "f32", bits, into)) return into;
  into.set(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
  return into;
}

/** Values as fp16 bits, rounded to nearest even; what overflows is added to `loss`. */
export function toF16(values: Floats, into: Uint16Array = new Uint16Array(values.length), loss?: Loss): Uint16Array {
  if (converted("f32", "f16", values, into, loss)) return into;
  new Float16Array(into.buffer, into.byteOffset, values.length).set(values);
  if (loss) loss.overflowed += countOverflow(values, into, 0x7c00);
  return into;
}

/** bf16 bits as values. */
export function bf16ToF32(bits: Uint16Array, into: Float32Array = new Float32Array(bits.length)): Float32Array {
  if (converted("bf16", "f32", bits, into)) return into;
  const words = new Uint32Array(into.buffer, into.byteOffset, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return into;
}

/** Values as bf16 bits, rounded to nearest even; what overflows is added to `loss`. */
export function toBf16(values: Floats, into: Uint16Array = new Uint16Array(values.length), loss?: Loss): Uint16Array {
  if (converted("f32", "bf16", values, into, loss)) return into;
  if (values instanceof Float32Array) {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < words.length; i++) into[i] = bf16OfF32(words[i]!);
  } else {
    for (let i = 0; i < values.length; i++) into[i] = numberToBf16(values[i]!);
  }
  if (loss) loss.overflowed += countOverflow(values, into, 0x7f80);
  return into;
}

/**
 * 16-bit floats of one kind as those of the other, rounded once; what overflows is added to `loss`.
 *
 * @example
 * convertHalves("bf16", "f16", bits, new Uint16Array(bits.length), loss);
 */
export function convertHalves(
  from: "f16" | "bf16",
  to: "f16" | "bf16",
  bits: Uint16Array,
  into: Uint16Array,
  loss?: Loss,
): Uint16Array {
  if (from === to) into.set(bits);
  else if (!converted(from, to, bits, into, loss)) {
    const values = from === "f16" ? f16ToF32(bits) : bf16ToF32(bits);
    if (to === "f16") toF16(values, into, loss);
    else toBf16(values, into, loss);
  }
  return into;
}

/** Whether faster loops than this package's did it. */
function converted(
  from: FastFloat,
  to: FastFloat,
  values: Uint16Array | Floats,
  into: Uint16Array | Float32Array,
  loss?: Loss,
): boolean {
  if (values instanceof Float64Array) return false;
  const whole = into.length === values.length ? into : into.subarray(0, values.length);
  const overflowed = fastCodecs(values.length)?.convert(from, to, values, whole);
  if (overflowed === undefined) return false;
  if (loss) loss.overflowed += overflowed;
  return true;
}

function bf16OfF32(word: number): number {
  // A NaN whose payload is all in the lower half would round to infinity: it stays quiet instead.
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/**
 * fp32 bits of a double, rounded to odd: the lowest bit says whether anything was cut off, so that rounding once more, to
 * bf16, gives what rounding once would have.
 */
function f32BitsToOdd(value: number): number {
  f32[0] = value;
  const rounded = f32[0]!;
  const bits = f32Bits[0]!;
  if (rounded === value || Number.isNaN(value)) return bits;
  return (Math.abs(rounded) > Math.abs(value) ? bits - 1 : bits) | 1;
}

function countOverflow(values: Floats, bits: Uint16Array, infinity: number): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if ((bits[i]! & 0x7fff) === infinity && Number.isFinite(values[i]!)) count++;
  return count;
}
