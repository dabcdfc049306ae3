import { GrammarError } from "../error.ts";
import { expressionOf } from "../regex/expression.ts";
import { parseRegex } from "../regex/parse.ts";
import { ofBoth } from "../regex/texts.ts";
import { codePoints } from "../rules/code-points.ts";
import { alt, chars, EMPTY, NEVER, type Rule, repeat, seq, text } from "../rules/rule.ts";
import { isRounded } from "./schema.ts";

/** Longest whole part and fraction: enough for 64-bit integers, and never past what a double can hold. */
const MAX_DIGITS = 20;

/** Digits left to choice behind a bound's own. */
const FREE_DIGITS = 6;

export const range = (lo: number, hi: number): Rule => chars(codePoints([0x30 + lo, 0x30 + hi]));
export const digit = range(0, 9);
const freeDigits = repeat(digit, 0, FREE_DIGITS);
const sign = text("-");
const whole = alt(text("0"), seq(range(1, 9), repeat(digit, 0, MAX_DIGITS - 1)));
const optional = (rule: Rule): Rule => repeat(rule, 0, 1);

/** Any integer, without exponent. */
export const integer: Rule = seq(optional(sign), whole);

/** Any number. */
export const number: Rule = seq(
  integer,
  optional(seq(text("."), repeat(digit, 1, MAX_DIGITS))),
  optional(seq(alt(text("e"), text("E")), optional(alt(text("+"), text("-"))), repeat(digit, 1, 2))),
);

/** A bound and whether it is itself left out. */
export interface Bound {
  readonly value: number | bigint;
  readonly open: boolean;
}

/**
 * A bound as the outermost double that is surely inside, for those who read numbers as doubles as for those who read them to the
 * digit. Whatever lies beyond a double's digits reads as that double or one beyond, never as the one before.
 */
export function closed({ value, open }: Bound, inside: 1 | -1): number {
  const near = Number(value);
  const outside = inside > 0 ? near < value : near > value;
  return open || outside || isRounded(value) ? nextDouble(near, inside) : near;
}

/** The same as an integer. */
function closedWhole(bound: Bound, inside: 1 | -1): bigint {
  const { value, open } = bound;
  if (typeof value === "bigint" && !open) return value;
  const near = BigInt((inside > 0 ? Math.ceil : Math.floor)(closed(bound, inside)));
  // The number that was rounded to this double lies half a step away at the most.
  return isRounded(value) && !open ? BigInt(value) + (near - BigInt(value)) / 2n : near;
}

function nextDouble(value: number, towards: 1 | -1): number {
  if (value === 0) return towards * Number.MIN_VALUE;
  const bits = new BigInt64Array(Float64Array.of(value).buffer);
  bits[0] += value > 0 === towards > 0 ? 1n : -1n;
  return new Float64Array(bits.buffer)[0];
}

/** Integers between two bounds. */
export function integersWithin(lower: Bound | undefined, upper: Bound | undefined): Rule {
  if (!lower && !upper) return integer;
  return wholeWithin(lower && closedWhole(lower, 1), upper && closedWhole(upper, -1));
}

function wholeWithin(lo: bigint | undefined, hi: bigint | undefined): Rule {
  if (lo !== undefined && hi !== undefined && lo > hi) return NEVER;
  const ways: Rule[] = [];
  if (lo === undefined || lo < 0n) {
    const nearest = hi !== undefined && hi < 0n ? -hi : 1n;
    ways.push(seq(sign, naturals(nearest, lo === undefined ? undefined : -lo)));
  }
  if (hi === undefined || hi >= 0n) ways.push(naturals(lo !== undefined && lo > 0n ? lo : 0n, hi));
  return alt(...ways);
}

/** Whole numbers `lo…hi` from zero up, without leading zeros. */
function naturals(lo: bigint, hi: bigint | undefined): Rule {
  const last = hi ?? 10n ** BigInt(MAX_DIGITS) - 1n;
  if (lo > last) return NEVER;
  const ways: Rule[] = [];
  for (let length = String(lo).length; length <= String(last).length; length++) {
    const first = length === 1 ? 0n : 10n ** BigInt(length - 1);
    const end = 10n ** BigInt(length) - 1n;
    ways.push(sameLength(String(lo > first ? lo : first), String(last < end ? last : end)));
  }
  return alt(...ways);
}

/** Digit strings of one length between two others. */
function sameLength(lo: string, hi: string): Rule {
  // Without this, a range of n digits would be cut into 2ⁿ pieces.
  if (/^0*$/.test(lo) && /^9*$/.test(hi)) return repeat(digit, lo.length, lo.length);
  const [a, b] = [Number(lo[0]), Number(hi[0])];
  const rest = lo.length - 1;
  if (a === b) return seq(text(lo[0]), sameLength(lo.slice(1), hi.slice(1)));
  const ways = [
    seq(text(lo[0]), sameLength(lo.slice(1), "9".repeat(rest))),
    seq(text(hi[0]), sameLength("0".repeat(rest), hi.slice(1))),
  ];
  if (b - a > 1) ways.push(seq(range(a + 1, b - 1), repeat(digit, rest, rest)));
  return alt(...ways);
}

/** A bound that a double holds. */
interface Edge {
  readonly value: number;
  readonly open: boolean;
}

/** Numbers between two bounds, without exponent. */
export function numbersWithin(lower: Bound | undefined, upper: Bound | undefined): Rule {
  if (!lower && !upper) return number;
  const ways: Rule[] = [];
  const least = lower ? closed(lower, 1) : Number.NEGATIVE_INFINITY;
  const most = upper ? closed(upper, -1) : Number.POSITIVE_INFINITY;
  if (least < 0) {
    const negative = most < 0 && upper?.value !== 0;
    const inner: Edge = negative ? { value: -most, open: false } : { value: 0, open: true };
    ways.push(seq(sign, decimals(inner, lower && { value: -least, open: false })));
  }
  if (most >= 0) {
    // Beyond nothing itself lies some digit that isn't 0: the next double would need hundreds of them.
    const from = lower?.value === 0 ? { value: 0, open: lower.open } : { value: Math.max(least, 0), open: false };
    ways.push(decimals(from, upper && { value: most, open: false }));
  }
  return alt(...ways);
}

/** Decimals from zero up between two bounds. */
function decimals(lower: Edge, upper: Edge | undefined): Rule {
  if (upper && (upper.value < lower.value || (upper.value === lower.value && (upper.open || lower.open)))) return NEVER;
  const [lowWhole, lowFraction] = parts(lower.value);
  const [highWhole, highFraction] = upper ? parts(upper.value) : [undefined, ""];
  const anyFraction = optional(seq(text("."), repeat(digit, 1, FREE_DIGITS)));
  if (lowWhole === highWhole) {
    const from = fractions(lowFraction, lower.open, highFraction, upper!.open);
    return seq(text(String(lowWhole)), from);
  }
  const ways = [seq(text(String(lowWhole)), fractions(lowFraction, lower.open, undefined, false))];
  if (highWhole !== undefined) ways.push(seq(text(String(highWhole)), fractions("", false, highFraction, upper!.open)));
  const between = naturals(lowWhole + 1n, highWhole === undefined ? undefined : highWhole - 1n);
  return alt(...ways, seq(between, anyFraction));
}

/** Short enough that no reader takes a number with a fraction for one without. */
const FRACTION = parseRegex("-?[0-9]{1,9}\\.[0-9]{0,5}[1-9]");

/** Those of some numbers that are no integers. */
export function withFraction(numbers: Rule): Rule {
  const rule = ofBoth(FRACTION, expressionOf(numbers));
  if (rule) return rule;
  throw new GrammarError("limit", "numbers between so many limits that are no integers make too many cases");
}

/** A double written out: its whole part and the digits of its fraction. */
function parts(value: number): [whole: bigint, fraction: string] {
  // As a text it has no more digits than tell it from its neighbours.
  if (isRounded(value)) return [BigInt(value), ""];
  const [mantissa, exponent = "0"] = String(value).split("e");
  const [int, fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  const padded =
    shift < 0
      ? `${"0".repeat(-shift)}${int}${fraction}`
      : `${int}${fraction}${"0".repeat(Math.max(0, shift - fraction.length))}`;
  const point = shift < 0 ? int.length : int.length + shift;
  return [BigInt(padded.slice(0, point) || "0"), padded.slice(point).replace(/0+$/, "")];
}

/** What may follow the whole part: nothing or a fraction, between two others given by their digits. */
function fractions(low: string, lowOpen: boolean, high: string | undefined, highOpen: boolean): Rule {
  const ways: Rule[] = [];
  // No fraction at all is .0
  const zeroFits = (low === "" ? !lowOpen : false) && (high === undefined || high !== "" || !highOpen);
  if (zeroFits) ways.push(EMPTY);
  ways.push(
    seq(
      text("."),
      between({ digits: low, open: lowOpen }, high === undefined ? undefined : { digits: high, open: highOpen }),
    ),
  );
  return alt(...ways);
}

interface Digits {
  readonly digits: string;
  readonly open: boolean;
}

/** One or more digits that, read as a fraction, lie between two others. */
function between(low: Digits | undefined, high: Digits | undefined): Rule {
  if (!low && !high) return repeat(digit, 1, FREE_DIGITS);
  const a = Number(low?.digits[0] ?? 0);
  const b = high ? Number(high.digits[0] ?? 0) : 9;
  if (a > b) return NEVER;
  const below = low && { digits: low.digits.slice(1), open: low.open };
  const above = high && { digits: high.digits.slice(1), open: high.open };
  if (a === b) return seq(text(String(a)), after(below, above));
  // Between the bounds' own digits, what follows is free.
  const ways = [seq(text(String(a)), after(below, undefined)), seq(text(String(b)), after(undefined, above))];
  if (b - a > 1) ways.push(seq(range(a + 1, b - 1), freeDigits));
  return alt(...ways);
}

/** What may follow once every digit so far was equal to a bound's. */
function after(low: Digits | undefined, high: Digits | undefined): Rule {
  if (!low && !high) return freeDigits;
  const tight = (bound: Digits | undefined): boolean => bound !== undefined && bound.digits === "";
  const endsHere = (!low || (low.digits === "" && !low.open)) && (high?.digits !== "" || !high.open);
  // Past the end of both bounds only zeros keep the value.
  if (tight(high) && (!low || tight(low))) return high!.open || low?.open ? NEVER : repeat(text("0"), 0, FREE_DIGITS);
  if (tight(low) && !high) {
    return low!.open ? seq(repeat(text("0"), 0, FREE_DIGITS), range(1, 9), freeDigits) : freeDigits;
  }
  const rest = between(low, high);
  return endsHere ? optional(rest) : rest;
}
