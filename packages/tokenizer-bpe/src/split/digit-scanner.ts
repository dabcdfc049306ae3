import { ASTRAL, classAt, NUMBER } from "./char-class.ts";
import type { Scanner } from "./scanner.ts";

/**
 * Digits first, then another scanner between them, which must not see past its stretch: where a digit follows, white
 * space counts as being at the end of the text.
 */
export function digitsThen(individual: boolean, inner: Scanner): Scanner {
  let stretchEnd = -1;
  return {
    begin() {
      stretchEnd = -1;
      inner.begin?.();
    },
    next(units, at, end) {
      if (at >= stretchEnd) {
        if (isNumber(units, at)) return individual ? at + width(units, at) : runOf(units, at, end, true);
        stretchEnd = runOf(units, at, end, false);
        inner.begin?.();
      }
      return inner.next(units, at, stretchEnd);
    },
  };
}

function isNumber(units: Uint16Array, at: number): boolean {
  return (classAt(units, at) & (ASTRAL - 1)) === NUMBER;
}

function width(units: Uint16Array, at: number): number {
  return classAt(units, at) > ASTRAL ? 2 : 1;
}

function runOf(units: Uint16Array, from: number, end: number, numbers: boolean): number {
  let at = from;
  while (at < end && isNumber(units, at) === numbers) at += width(units, at);
  return at;
}
