import { GenerateError, shown } from "../error.ts";
import { threefry2x32 } from "./threefry.ts";

/**
 * A seeded source of random numbers as a plain value (JSON): passed in, handed back advanced, never hidden. Draw number n is
 * Threefry-2x32-20 of the counter (n mod 2³², n div 2³²) under the key, so the same state always gives the same draws,
 * whatever else is in a batch.
 */
export interface RandomState {
  readonly key: readonly [number, number]; // unsigned 32-bit words
  readonly drawn: number; // how many numbers were taken
}

/** Draws count in the lower half of the counter's second word; splits have its top bit. */
const SPLIT = 0x80000000;
const WORD = 2 ** 32;

/** The state of a seed: any safe integer, below 0 too. */
export function randomState(seed = 0): RandomState {
  if (!Number.isSafeInteger(seed))
    throw new GenerateError(
      "option-invalid",
      `seed is ${shown(seed)}, but must be a whole number between -(2^53 - 1) and 2^53 - 1`,
      { option: "seed" },
    );
  return { key: [seed >>> 0, Math.floor(seed / WORD) >>> 0], drawn: 0 };
}

/** A number in [0, 1) of 53 random bits, and the state after it. */
export function draw({ key, drawn }: RandomState): readonly [number, RandomState] {
  const [high, low] = threefry2x32(key, [drawn >>> 0, Math.floor(drawn / WORD)]);
  return [((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53, { key, drawn: drawn + 1 }];
}

/** `count` states that are independent of one another and of the one they come from. */
export function split(state: RandomState, count: number): readonly RandomState[] {
  return Array.from({ length: count }, (_, i) => fold(state, i));
}

/** The states that so many texts beside one another draw from: one alone goes on with the state itself. */
export function apart(state: RandomState, count: number): readonly RandomState[] {
  return count === 1 ? [state] : split(state, count);
}

/** The state that belongs to a number: request 7's, row 3's. */
export function fold({ key, drawn }: RandomState, number: number): RandomState {
  // Draws before the split count, so that a state used twice doesn't give the same children.
  const [a, b] = threefry2x32(key, [number >>> 0, (SPLIT | (Math.floor(number / WORD) & 0x7fffffff)) >>> 0]);
  return { key: drawn === 0 ? [a, b] : threefry2x32([a, b], [drawn >>> 0, SPLIT]), drawn: 0 };
}
