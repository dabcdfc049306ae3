/** A set of Unicode code points: sorted, disjoint, inclusive ranges `lo, hi, lo, hi, …`. */
export type CodePoints = readonly number[];

export const LAST_CODE_POINT = 0x10ffff;

/** Every scalar value: surrogates stand for no character, so no text holds them. */
export const ANY: CodePoints = [0, 0xd7ff, 0xe000, LAST_CODE_POINT];

/** The set of these ranges, in any order, overlapping or not. */
export function codePoints(...ranges: readonly (readonly [lo: number, hi: number])[]): CodePoints {
  const sorted = ranges.filter(([lo, hi]) => lo <= hi).toSorted((a, b) => a[0] - b[0]);
  const set: number[] = [];
  for (const [lo, hi] of sorted) {
    if (set.length > 0 && lo <= set[set.length - 1] + 1) set[set.length - 1] = Math.max(set[set.length - 1], hi);
    else set.push(lo, hi);
  }
  return set;
}

/** The set of the characters of a string. */
export function charactersOf(text: string): CodePoints {
  return codePoints(...Array.from(text, (char): [number, number] => [char.codePointAt(0)!, char.codePointAt(0)!]));
}

export function union(...sets: readonly CodePoints[]): CodePoints {
  return codePoints(...sets.flatMap(pairs));
}

export function invert(set: CodePoints): CodePoints {
  const rest: [number, number][] = [];
  let from = 0;
  for (const [lo, hi] of pairs(set)) {
    rest.push([from, lo - 1]);
    from = hi + 1;
  }
  rest.push([from, LAST_CODE_POINT]);
  return codePoints(...rest);
}

export function intersect(a: CodePoints, b: CodePoints): CodePoints {
  return invert(union(invert(a), invert(b)));
}

export function subtract(a: CodePoints, b: CodePoints): CodePoints {
  return intersect(a, invert(b));
}

export function pairs(set: CodePoints): [lo: number, hi: number][] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i], set[2 * i + 1]]);
}
