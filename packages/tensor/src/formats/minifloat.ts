/** A float of a few bits without infinities: its layout and what follows from it. */
export interface Minifloat {
  readonly bits: number; // sign included
  readonly mantissa: number;
  readonly bias: number;
  /** Exponent of the largest power of two that it has. */
  readonly emax: number;
  /** Value of each code. */
  readonly values: Float32Array;
}

export function minifloat(exponentBits: number, mantissa: number, bias: number): Minifloat {
  const bits = 1 + exponentBits + mantissa;
  const half = 2 ** (bits - 1);
  const values = Float32Array.from({ length: 2 * half }, (_, code) => {
    const exponent = (code % half) >> mantissa;
    const fraction = (code % half) & (2 ** mantissa - 1);
    const magnitude =
      exponent === 0
        ? fraction * 2 ** (1 - bias - mantissa)
        : (2 ** mantissa + fraction) * 2 ** (exponent - bias - mantissa);
    return code < half ? magnitude : -magnitude;
  });
  return { bits, mantissa, bias, emax: 2 ** exponentBits - 1 - bias, values };
}

const number = new Float32Array(1);
const word = new Uint32Array(number.buffer);

/** Adding this to a small float and taking it away again leaves a whole number, rounded to even. */
const ROUND = 2 ** 23;

/** The code of the nearest value, ties to even, the largest beyond it. Sign and zero's sign are kept. */
export function toMinifloat({ bits, mantissa, bias }: Minifloat, value: number): number {
  number[0] = value;
  const all = word[0]!;
  const magnitude = all & 0x7fffffff;
  const dropped = 23 - mantissa;
  let code: number;
  if (magnitude >>> 23 < 128 - bias) {
    // Below the normal numbers steps are even.
    code = Math.fround(Math.abs(value) * 2 ** (bias - 1 + mantissa) + ROUND) - ROUND;
  } else {
    const rounded = (magnitude + 2 ** (dropped - 1) - 1 + ((magnitude >>> dropped) & 1)) >>> dropped;
    code = Math.min(rounded - ((127 - bias) << mantissa), 2 ** (bits - 1) - 1);
  }
  return all >>> 31 === 1 ? code | (1 << (bits - 1)) : code;
}
