import { TensorError } from "../error.ts";

/** Lanes of the chip: output n is lane n mod 64's. */
export const LANES = 64;

/** How many groups a row has, or why a linear can't be laid out. */
export function checkLanes(columns: number, group: number, rows = LANES): number {
  if (rows % LANES !== 0 || columns % group !== 0)
    throw new TensorError(
      "format-shape",
      `a linear of [${rows}, ${columns}] can't be laid out for BM1684X: outputs come in ${LANES}s, inputs in groups of ${group}`,
    );
  return columns / group;
}

/** Place of a group's scale among all: by lane, then by row of the lane. */
export function placeByLane(row: number, group: number, rows: number, groups: number): number {
  return ((row % LANES) * (rows / LANES) + Math.floor(row / LANES)) * groups + group;
}
