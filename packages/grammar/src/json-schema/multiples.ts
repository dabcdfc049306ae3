import { alt, optional, type Rule, repeat, seq, text } from "../rules/rule.ts";
import { type Bound, closed, digit, range } from "./numbers.ts";

/** Multiples that are written out one by one. */
const MAX_LISTED = 1000;
/** Longest whole number: longer ones are rounded where they are read as doubles, and are no multiples any more. */
const MAX_DIGITS = 15;
/** Digits at a number's end that say whether it is a multiple. */
const MAX_ENDING = 3;

/**
 * The multiples of a step between two bounds, or undefined where they can't be said: they are listed, or, of numbers without
 * an upper bound, told by their last digits.
 */
export function multiplesWithin(
  step: number | bigint,
  whole: boolean,
  lower: Bound | undefined,
  upper: Bound | undefined,
): Rule | undefined {
  // Of other fractions, what a multiple is depends on who divides.
  if (typeof step === "bigint" || !(step > 0) || !Number.isInteger(step * 1024)) return undefined;
  if (lower && upper) return listed(step, whole, closed(lower, 1), closed(upper, -1));
  const first = lower && leastNear(step, closed(lower, 1));
  if (!Number.isInteger(step) || upper || (lower && !first)) return undefined;
  return endings(step, first);
}

/** Why the multiples of a step can't be said. */
export function whyNot(step: number | bigint): string {
  if (!(step > 0)) return "a step is a number above 0";
  return Number.isInteger(Number(step) * 1024)
    ? `between two limits there may be at most ${MAX_LISTED} multiples; without an upper one, the step must divide 1000 and the lower limit be at most one step`
    : `${step} has no exact binary form, so what is a multiple of it depends on who divides; count in whole steps instead`;
}

function listed(step: number, whole: boolean, least: number, most: number): Rule | undefined {
  const [from, to] = [Math.ceil(least / step), Math.floor(most / step)];
  if (to - from >= MAX_LISTED) return undefined;
  const values = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => (from + i) * step);
  const fits = (value: number): boolean =>
    Number.isSafeInteger(value * 1024) && value >= least && value <= most && (!whole || Number.isInteger(value));
  return alt(...values.filter(fits).map((value) => text(String(value))));
}

/** Where multiples from a bound on are those from zero on, or those beyond it. */
function leastNear(step: number, least: number): Bound | undefined {
  return least > -step && least <= step ? { value: 0, open: least > 0 } : undefined;
}

/** Whole numbers by their last digits, where those alone decide. */
function endings(step: number, lower: Bound | undefined): Rule | undefined {
  const length = Array.from({ length: MAX_ENDING }, (_, i) => i + 1).find((digits) => 10 ** digits % step === 0);
  if (length === undefined) return undefined;
  const nonzero = range(1, 9);
  const multiples = Array.from({ length: 10 ** length / step }, (_, i) => i * step);
  const short = multiples.filter((value) => value > 0).map((value) => text(String(value)));
  const long = multiples.map((value) => text(String(value).padStart(length, "0")));
  const positive = alt(...short, seq(nonzero, repeat(digit, 0, MAX_DIGITS - length - 1), alt(...long)));
  const signed = lower ? positive : seq(optional(text("-")), positive);
  return lower?.open ? signed : alt(text("0"), signed);
}
