const STEPS = 32; // per unit: the table stays in the processor's nearest cache
const REACH = 64; // e^-64 of the best token is nothing, in any float
const TABLE = Float64Array.from({ length: STEPS * REACH + 1 }, (_, i) => Math.exp(-i / STEPS));

/**
 * e^-d for d ≥ 0, by table and the first terms of the series: some times faster than Math.exp, which matters for vocabularies
 * of 150,000. The relative error is below 1e-11 (half a step to the fifth, over 120).
 */
export function expMinus(d: number): number {
  if (d >= REACH) return 0;
  const i = (d * STEPS + 0.5) | 0;
  const r = i / STEPS - d;
  return TABLE[i]! * (1 + r * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24)))));
}
