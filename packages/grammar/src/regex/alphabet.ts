import { ANY, type CodePoints, codePoints, intersect, pairs } from "../rules/code-points.ts";

/** Characters that some sets never tell apart. */
export interface CharacterClass {
  readonly set: CodePoints;
  /** By number, which of the sets have them. */
  readonly within: readonly boolean[];
}

/** All characters, divided by which of the sets they are in. */
export function classesOf(sets: readonly CodePoints[]): CharacterClass[] {
  const edges = new Map<number, number[]>([[0, []]]);
  const edge = (code: number, set: number): void => {
    const known = edges.get(code);
    if (known) known.push(set);
    else edges.set(code, [set]);
  };
  for (const [i, set] of sets.entries()) {
    for (const [lo, hi] of pairs(set)) {
      edge(lo, i);
      edge(hi + 1, i);
    }
  }
  const within = sets.map(() => false);
  const found = new Map<string, { within: boolean[]; ranges: [number, number][] }>();
  const sorted = [...edges].toSorted(([a], [b]) => a - b);
  for (const [i, [from, changed]] of sorted.entries()) {
    for (const set of changed) within[set] = !within[set];
    const to = (sorted[i + 1]?.[0] ?? ANY[ANY.length - 1]! + 1) - 1;
    const key = within.map(Number).join("");
    const known = found.get(key);
    if (known) known.ranges.push([from, to]);
    else found.set(key, { within: [...within], ranges: [[from, to]] });
  }
  return Array.from(found.values(), ({ within, ranges }) => ({
    within,
    set: intersect(codePoints(...ranges), ANY),
  })).filter(({ set }) => set.length > 0);
}
