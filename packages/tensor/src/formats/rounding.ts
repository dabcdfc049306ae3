/**
 * The nearest whole number; halves go away from zero. Only they are looked at twice: asking for the sign of every value would cost
 * more than all the rest.
 */
export function roundAway(value: number): number {
  const up = Math.floor(value + 0.5);
  return up - value === 0.5 && value < 0 ? up - 1 : up;
}

/** Adding this to a small number and taking it away again leaves a whole one. */
const MAGIC = 1.5 * 2 ** 23;

/** The nearest whole number, halves to the even one; for magnitudes below four million. */
export function roundToEven(value: number): number {
  return Math.fround(value + MAGIC) - MAGIC;
}
