import { type StepCosts, sizeFor } from "./step-costs.ts";

/** What a draft must gain at least, by the estimates: they are not exact, and a step that is not taken costs nothing. */
const LEAST_GAIN = 1.15;

export interface DraftLengthInput {
  /** How likely the next guess is right, then the one after it if that was, and so on. */
  readonly chances: Iterable<number>;
  /** Most tokens of a draft. */
  readonly most: number;
  /** Rows of the step. */
  readonly rows: number;
  readonly costs: StepCosts;
  /** What making one token of the draft costs, in plain steps. */
  readonly perToken?: number;
}

/**
 * How many tokens to guess so that a token costs least: none where guessing doesn't pay. Steps are only ever a power of two
 * tokens long, so that few kinds of them have to be measured (and compiled, on devices that do).
 */
export function draftLength({ chances, most, rows, costs, perToken = 0 }: DraftLengthInput): number {
  let best = 0;
  let bestGain = LEAST_GAIN;
  let expected = 1; // tokens that the step gives
  let chance = 1;
  let length = 0;
  for (const next of chances) {
    if (length === most) break;
    length++;
    chance *= next;
    expected += chance;
    const size = length + 1;
    if (sizeFor(size) !== size && length !== most) continue;
    const gain = expected / (costs.of(rows, sizeFor(size)) + length * perToken);
    if (gain <= bestGain) continue;
    best = length;
    bestGain = gain;
  }
  return best;
}
