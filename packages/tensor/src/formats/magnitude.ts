/** The bits of fp32 infinity: anything from here on is not a finite number. */
export const INFINITE = 0x7f800000;

/** Values as their fp32 bits. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Bits of the largest magnitude from `from` up to `end`; magnitudes compare like whole numbers, NaN above all. */
export function largestMagnitude(bits: Uint32Array, from: number, end: number): number {
  let largest = 0;
  for (let i = from; i < end; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

const number = new Float32Array(1);
const word = new Uint32Array(number.buffer);

/** The value of fp32 bits. */
export function valueOfBits(bits: number): number {
  word[0] = bits;
  return number[0]!;
}
