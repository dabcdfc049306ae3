import { bf16ToNumber, numberToBf16 } from "@llm/tensor";

/**
 * The slopes of ALiBi: powers of one base for a power of two of heads; other counts take the rest from between, of the
 * next power of two.
 */
export function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads));
  const slopes = powers(whole, whole, 1);
  return heads === whole ? slopes : [...slopes, ...powers(2 * whole, heads - whole, 2)];
}

/** Base of `of` heads to the powers 1, 1 + step, …, `count` of them. */
function powers(of: number, count: number, step: number): number[] {
  return Array.from({ length: count }, (_, i) => 2 ** ((-8 * (1 + i * step)) / of));
}

/** MPT's: the same idea with a maximum of its own, and the odd ones first where heads are no power of two. */
export function mptSlopes(heads: number, max: number): number[] {
  const whole = 2 ** Math.ceil(Math.log2(heads));
  const slopes = Array.from({ length: whole }, (_, i) => 2 ** ((-max * (i + 1)) / whole));
  if (whole === heads) return slopes;
  const odd = slopes.filter((_, i) => i % 2 === 1);
  const even = slopes.filter((_, i) => i % 2 === 0);
  return [...odd, ...even].slice(0, heads);
}

/** To the nearest bfloat16, ties to even. */
export function roundToBfloat16(value: number): number {
  return bf16ToNumber(numberToBf16(value));
}
