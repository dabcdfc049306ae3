/** e^-64 of the best token is nothing, in any float. */
export const REACH = 64;
const STEP_BITS = 10;
/** How finely powers of two are tabulated; what is left to the series is so small that two terms do. */
export const STEPS = 1 << STEP_BITS;
/** 2^(step / STEPS) */
export const STEP_TABLE = Float64Array.from({ length: STEPS }, (_, step) => 2 ** (step / STEPS));
const POWERS = Float64Array.from({ length: Math.ceil(REACH / Math.LN2) + 2 }, (_, n) => 2 ** -n);

/** Steps per unit of distance, downwards. */
export const STEPS_DOWN = -STEPS / Math.LN2;
/** Added to a small number, this leaves the nearest whole number in the lowest bits. */
export const MAGIC = 1.5 * 2 ** 52;
/** 2^(r / STEPS) is about 1 + FIRST · r + SECOND · r² for the half step at most that is left. */
export const FIRST = Math.LN2 / STEPS;
export const SECOND = FIRST ** 2 / 2;

/**
 * e^-d for d ≥ 0, to 7e-12 of it (half a step to the third power, over 6), and exactly 1 for 0. Every choice goes by it, on
 * whatever it runs: the sweeps repeat these operations one by one.
 */
export function massAt(d: number): number {
  if (!(d < REACH)) return 0;
  const z = d * STEPS_DOWN;
  const whole = z + MAGIC - MAGIC;
  const r = z - whole;
  const power = STEP_TABLE[whole & (STEPS - 1)]! * POWERS[-(whole >> STEP_BITS)]!;
  return power * ((SECOND * r + FIRST) * r) + power;
}
