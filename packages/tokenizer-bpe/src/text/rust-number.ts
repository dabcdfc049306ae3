import { invalid } from "../error.ts";

const MOST = 2n ** 64n - 1n;

/**
 * A JSON number as Rust's serde_json reads it: all digits as one 64-bit integer, rounded, then scaled by a power of ten,
 * rounded again. With 17 digits that can differ from the nearest double in the last bit, and where two ways to split a
 * text are equally probable, that bit decides.
 */
export function rustNumber(text: string): number {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) throw invalid(`${JSON.stringify(text.slice(0, 40))} is not a number`);
  const [, sign, whole, fraction = "", power = "0"] = parts;
  let digits = whole + fraction;
  let exponent = Number(power) - fraction.length;
  // 20 digits may exceed 64 bits; from the first one that does, digits are left out.
  while (digits.length > 19 && BigInt(digits) > MOST) {
    digits = digits.slice(0, -1);
    exponent++;
  }
  const significand = Number(BigInt(digits));
  const value = exponent >= 0 ? significand * Number(`1e${exponent}`) : divide(significand, -exponent);
  if (!Number.isFinite(value)) throw invalid(`${text.slice(0, 40)} is too large for a number`);
  return sign === "-" ? -value : value;
}

function divide(value: number, exponent: number): number {
  let rest = value;
  let left = exponent;
  for (; left > 308 && rest !== 0; left -= 308) rest /= 1e308;
  return rest === 0 ? 0 : rest / Number(`1e${left}`);
}
