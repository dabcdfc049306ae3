import { floatBelow, leastFloat } from "./float-order.ts";
import type { Row } from "./row.ts";
import { massAt } from "./sweeps/mass.ts";

/** Leaves tokens out, by a number that says which. */
export type Filter = (row: Row, value: number) => void;

/** Those as good as the k-th best. */
export const topK: Filter = (row, k) => row.keepBest(k);

/** The fewest best tokens that together have probability p: one at least. */
export const topP: Filter = (row, p) => row.keepMass(p * row.total());

/** Those at least `share` times as probable as the best. */
export const minP: Filter = (row, share) => row.keep(leastWithMass(row, share));

/** Those whose surprise is nearest to the expected one, up to probability `share`. */
export const typicalP: Filter = (row, share) => {
  const { best } = row;
  // Surprise is the distance from the best, and the logarithm of the sum, which the expected one has as well.
  const expected = row.meanDistance();
  const radius = row.radius(expected, share * row.total());
  const isPast = (score: number): boolean => best - score - expected < -radius;
  row.keep(
    leastFloat(best, (score) => best - score - expected <= radius),
    isPast(best) ? floatBelow(leastFloat(best, isPast)) : best,
  );
};

/** Those of at least probability `epsilon`, and the best in any case. */
export const epsilonCutoff: Filter = (row, epsilon) =>
  row.keep(Math.min(row.bestLeft(), leastWithMass(row, epsilon * row.total())));

/** As `epsilonCutoff`, with a lower bar where the distribution is flat. */
export const etaCutoff: Filter = (row, epsilon) => {
  const entropy = row.meanDistance() + Math.log(row.total());
  epsilonCutoff(row, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy)));
};

/** The least score that weighs so much; the best if none does. */
function leastWithMass({ best }: Row, mass: number): number {
  return leastFloat(best, (score) => massAt(best - score) >= mass);
}
